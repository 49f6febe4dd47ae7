// SPDX-License-Identifier: MIT
// Claims: flockfile makes several stdio calls one, also when the holder yields between them; it nests; and
// others' ftrylockfile fails meanwhile.
#include <sched.h>
#include "guest.h"

#define THREADS 8
#define GROUPS  20

static FILE *stream;

static void *write_groups(void *index)
{
    for (int i = 0; i < GROUPS; i++) {
        flockfile(stream);
        for (int j = 0; j < 4; j++) {
            CHECK(putc_unlocked('a' + (int)(intptr_t)index, stream) != EOF);
            if (i % 4 == 0)
                sched_yield();
        }
        CHECK(fputs("\n", stream) != EOF); // takes the lock once more
        funlockfile(stream);
    }
    return NULL;
}

static void *read_groups(void *index)
{
    intptr_t read = 0;
    (void)index;
    for (;;) {
        flockfile(stream);
        int first = getc_unlocked(stream);
        if (first == EOF) {
            funlockfile(stream);
            return (void *)read;
        }
        for (int j = 1; j < 4; j++) {
            CHECK_EQUAL(getc_unlocked(stream), first);
            if (read % 4 == 0)
                sched_yield();
        }
        CHECK_EQUAL(getc_unlocked(stream), '\n');
        funlockfile(stream);
        read++;
    }
}

static void *try_once(void *index)
{
    (void)index;
    if (ftrylockfile(stream) != 0)
        return (void *)1;
    funlockfile(stream); /* from glibc 2.41 on exit waits for locked streams */
    return NULL;
}

int main(void)
{
    stream = fopen("groups", "w+");
    CHECK(stream != NULL);
    guest_threads(THREADS, write_groups);
    rewind(stream);
    intptr_t groups = guest_threads(THREADS, read_groups);
    printf("groups: %ld\n", (long)groups);
    CHECK_EQUAL(groups, THREADS * GROUPS);

    flockfile(stream);
    CHECK_EQUAL(ftrylockfile(stream), 0);
    CHECK_EQUAL(guest_threads(THREADS, try_once), THREADS);
    funlockfile(stream);
    CHECK_EQUAL(guest_threads(THREADS, try_once), THREADS); // one lock is left
    funlockfile(stream);
    CHECK_EQUAL(guest_threads(1, try_once), 0);
    return guest_success();
}
