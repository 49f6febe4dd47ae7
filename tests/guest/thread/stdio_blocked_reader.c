// SPDX-License-Identifier: MIT
// Claims: a thread that is blocked in fgets holds that stream's lock and no other's: others use other streams
// and see this one locked, and the line arrives whole once it is written.
#include <sched.h>
#include "guest.h"

static FILE *input;

static void *read_line(void *argument)
{
    CHECK(fgets((char *)argument, 100, input) != NULL);
    CHECK(fgets((char *)argument + 100, 100, input) != NULL);
    return NULL;
}

int main(void)
{
    char lines[200] = "", text[100];
    int ends[2];

    CHECK_EQUAL(pipe(ends), 0);
    input = fdopen(ends[0], "r");
    FILE *other = fopen("other", "w+");
    CHECK(input != NULL && other != NULL);
    pthread_t reader = guest_start(read_line, lines);

    while (ftrylockfile(input) == 0) { // until the reader holds it
        funlockfile(input);
        sched_yield();
    }
    for (int i = 0; i < 100; i++) {
        CHECK(fprintf(other, "%d\n", i) > 0);
        sched_yield();
        CHECK(ftrylockfile(input) != 0);
    }
    rewind(other);
    for (int i = 0; i < 100; i++)
        CHECK(fgets(text, sizeof(text), other) != NULL && atoi(text) == i);

    CHECK_EQUAL(write(ends[1], "first ", 6), 6);
    CHECK_EQUAL(write(ends[1], "line\nsecond line\n", 17), 17);
    guest_join(reader);
    printf("%s%s", lines, lines + 100);
    CHECK(strcmp(lines, "first line\n") == 0 && strcmp(lines + 100, "second line\n") == 0);
    return guest_success();
}
