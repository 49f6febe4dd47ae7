// SPDX-License-Identifier: MIT
// Claims: the sticky exception flags in the x87 status word belong to the thread, as those of SSE do: a
// thread finds exactly those that its own long double arithmetic raised.
#include <fenv.h>
#include <sched.h>
#include "guest.h"

#define THREADS 12

static pthread_barrier_t meeting;

static int raise_one(intptr_t kind)
{
    volatile long double zero = 0.0L, one = 1.0L, sink;
    switch (kind % 3) {
    case 0:
        return 0;
    case 1:
        sink = one / zero;
        return FE_DIVBYZERO;
    default:
        sink = zero / zero;
        (void)sink;
        return FE_INVALID;
    }
}

static void *body(void *index)
{
    for (int round = 0; round < 20; round++) {
        CHECK_EQUAL(feclearexcept(FE_ALL_EXCEPT), 0);
        pthread_barrier_wait(&meeting);
        CHECK_EQUAL(fetestexcept(FE_ALL_EXCEPT), 0);
        int raised = raise_one((intptr_t)index + round);
        CHECK_EQUAL(fetestexcept(FE_ALL_EXCEPT), raised);
        sched_yield();
        CHECK_EQUAL(fetestexcept(FE_ALL_EXCEPT), raised);
        pthread_barrier_wait(&meeting);
        CHECK_EQUAL(fetestexcept(FE_ALL_EXCEPT), raised);
    }
    return NULL;
}

int main(void)
{
    CHECK_EQUAL(pthread_barrier_init(&meeting, NULL, THREADS), 0);
    guest_threads(THREADS, body);
    CHECK_EQUAL(fetestexcept(FE_ALL_EXCEPT), 0);
    return guest_success();
}
