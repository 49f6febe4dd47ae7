// SPDX-License-Identifier: MIT
// Claims: lines that many threads print to one stream are never torn or lost, and each thread's lines keep
// their order, with a buffer so small that nearly every line is flushed in its middle.
#include <sched.h>
#include "guest.h"

#define THREADS 12
#define LINES   150

static FILE *stream;

static void *body(void *index)
{
    int me = (int)(intptr_t)index;
    for (int i = 0; i < LINES; i++) {
        CHECK(fprintf(stream, "thread %d line %d %0*d\n", me, i, 1 + (me * 7 + i) % 60, 0) > 0);
        if (i % 16 == 0)
            sched_yield();
    }
    return NULL;
}

int main(void)
{
    static char buffer[61];
    char line[200], expected[200];
    int next[THREADS] = {0}, me, number, lines = 0;

    stream = fopen("lines", "w+");
    CHECK(stream != NULL);
    CHECK_EQUAL(setvbuf(stream, buffer, _IOFBF, sizeof(buffer)), 0);
    guest_threads(THREADS, body);

    rewind(stream);
    while (fgets(line, sizeof(line), stream) != NULL) {
        CHECK_EQUAL(sscanf(line, "thread %d line %d", &me, &number), 2);
        CHECK(me >= 0 && me < THREADS);
        CHECK_EQUAL(number, next[me]);
        snprintf(expected, sizeof(expected), "thread %d line %d %0*d\n", me, number,
                 1 + (me * 7 + number) % 60, 0);
        CHECK(strcmp(line, expected) == 0);
        next[me]++;
        lines++;
    }
    printf("lines: %d\n", lines);
    CHECK_EQUAL(lines, THREADS * LINES);
    CHECK_EQUAL(fclose(stream), 0);
    return guest_success();
}
