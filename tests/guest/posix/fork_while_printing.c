// SPDX-License-Identifier: MIT
// Claims: a thread forks while others are inside stdio, on one stream whose lock they fight for: the child
// can print to it and to another stream, allocate, and start threads; nothing of the parent's lines is torn.
#include <sys/wait.h>
#include "guest.h"

#define PRINTERS 4
#define FORKS    40

static FILE *stream;
static volatile int stop;

static void *prints(void *index)
{
    intptr_t lines = 0;
    do { // also one that the others let in at the end only
        CHECK(fprintf(stream, "printer %d, line %d\n", (int)(intptr_t)index, (int)lines) > 0);
        if (++lines % 64 == 0)
            rewind(stream);
    } while (!stop);
    return (void *)lines;
}

static void *child_prints(void *index)
{
    char *copy = malloc(1000);
    CHECK(copy != NULL);
    CHECK(snprintf(copy, 1000, "child %d", (int)(intptr_t)index) > 0);
    CHECK(fprintf(stream, "%s\n", copy) > 0);
    free(copy);
    return (void *)1;
}

static void *forks(void *argument)
{
    (void)argument;
    for (int i = 0; i < FORKS; i++) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            FILE *own = tmpfile();
            CHECK(own && fputs("own", own) >= 0 && fclose(own) == 0);
            CHECK(fprintf(stream, "child\n") > 0);
            _exit(guest_threads(3, child_prints) == 3 ? 0 : 1);
        }
        int status;
        CHECK_EQUAL(waitpid(child, &status, 0), child);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    return NULL;
}

int main(void)
{
    pthread_t printers[PRINTERS];
    stream = tmpfile();
    CHECK(stream != NULL);
    for (intptr_t i = 0; i < PRINTERS; i++)
        printers[i] = guest_start(prints, (void *)i);
    guest_join(guest_start(forks, NULL));
    stop = 1;
    for (int i = 0; i < PRINTERS; i++)
        CHECK(guest_join(printers[i]) != NULL);
    return guest_success();
}
