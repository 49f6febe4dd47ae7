// SPDX-License-Identifier: MIT
// Claims: longjmp returns to the setjmp of its own thread, out of nested calls, although the thread was
// blocked in between and others jump at the same time.
#include <sched.h>
#include <setjmp.h>
#include "guest.h"

#define THREADS 8
#define ROUNDS  25

static pthread_barrier_t meeting;

static void jump(sigjmp_buf *target, int depth, int value)
{
    volatile char frame[200];
    frame[0] = (char)depth;
    if (depth == 0)
        siglongjmp(*target, value);
    if (depth % 5 == 0)
        sched_yield();
    jump(target, depth - 1, value + frame[0] * 0);
    CHECK(!"control came back");
}

static void *body(void *index)
{
    volatile int mine = (int)(intptr_t)index * 1000 + 1;
    volatile int jumps = 0;
    sigjmp_buf here;

    for (volatile int i = 0; i < ROUNDS; i++) {
        int value = sigsetjmp(here, 0);
        if (value == 0) {
            pthread_barrier_wait(&meeting);
            jump(&here, 10, mine + i);
        }
        CHECK_EQUAL(value, mine + i);
        jumps++;
    }
    return (void *)(intptr_t)jumps;
}

int main(void)
{
    CHECK_EQUAL(pthread_barrier_init(&meeting, NULL, THREADS), 0);
    intptr_t jumps = guest_threads(THREADS, body);
    printf("jumps: %ld\n", (long)jumps);
    CHECK_EQUAL(jumps, THREADS * ROUNDS);
    return guest_success();
}
