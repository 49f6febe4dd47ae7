// SPDX-License-Identifier: MIT
// Claims: system and popen work from many threads at once: each thread gets its own command's status and
// output.
#include <sys/wait.h>
#include "guest.h"

#define THREADS 6

static void *body(void *index)
{
    int me = (int)(intptr_t)index;
    char command[100], text[100] = "";

    snprintf(command, sizeof(command), "exit %d", me + 10);
    CHECK_EQUAL(system(command), (me + 10) << 8);

    snprintf(command, sizeof(command), "echo $((%d * %d)); exit %d", me, me, me);
    FILE *output = popen(command, "r");
    CHECK(output != NULL);
    CHECK(fgets(text, sizeof(text), output) != NULL);
    CHECK_EQUAL(atoi(text), me * me);
    CHECK_EQUAL(pclose(output), me << 8);

    snprintf(command, sizeof(command), "cat > text-%d", me);
    FILE *input = popen(command, "w");
    CHECK(input != NULL);
    for (int i = 0; i < 1000; i++)
        CHECK(fprintf(input, "line %d\n", i) > 0);
    CHECK_EQUAL(pclose(input), 0);
    snprintf(command, sizeof(command), "test `wc -l < text-%d` -eq 1000", me);
    CHECK_EQUAL(system(command), 0);
    return (void *)1;
}

int main(void)
{
    printf("done: %ld\n", (long)guest_threads(THREADS, body));
    return guest_success();
}
