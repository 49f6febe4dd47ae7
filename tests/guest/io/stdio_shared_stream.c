// SPDX-License-Identifier: MIT
// Twenty threads write lines to one stream over a pipe that blocks while they hold the stream's lock: no
// line is torn; meanwhile ten threads share the reading stream with fgets.
#include "io.h"

enum { WRITERS = 20, READERS = 10, LINES = 100 };

static FILE *in, *out;
static atomic_int seen[WRITERS * LINES];

static void *writer(void *argument)
{
    for (int i = 0; i < LINES; i++)
        CHECK(fprintf(out, "line %d of a length that fills the pipe %0200d\n",
                      (int)(intptr_t)argument * LINES + i, i) > 200);
    return NULL;
}

static void *reader(void *unused)
{
    char line[300];
    int number;
    while (fgets(line, sizeof line, in)) {
        CHECK(sscanf(line, "line %d of a length that fills the pipe 0", &number) == 1);
        CHECK(line[strlen(line) - 1] == '\n');
        atomic_fetch_add(&seen[number], 1);
    }
    return unused;
}

int main(void)
{
    int fds[2], total = 0;
    pthread_t thread[READERS];
    CHECK(pipe(fds) == 0);
    in = fdopen(fds[0], "r");
    out = fdopen(fds[1], "w");
    for (int i = 0; i < READERS; i++)
        thread[i] = guest_start(reader, NULL);
    guest_threads(WRITERS, writer);
    CHECK(fclose(out) == 0);
    for (int i = 0; i < READERS; i++)
        guest_join(thread[i]);
    for (int i = 0; i < WRITERS * LINES; i++)
        total += seen[i] == 1;
    printf("%d of %d lines\n", total, WRITERS * LINES);
    return guest_success();
}
