// SPDX-License-Identifier: MIT
// Claims: the sticky floating-point exception flags of SSE arithmetic belong to the thread: it finds exactly
// those that it raised itself, also after it was blocked.
#include <fenv.h>
#include <sched.h>
#include "guest.h"

#define THREADS 12

static pthread_barrier_t meeting;

static int raise_one(intptr_t kind)
{
    volatile double zero = 0.0, one = 1.0, three = 3.0, huge = 0x1p1023, sink;
    switch (kind % 5) {
    case 0:
        return 0;
    case 1:
        sink = one / zero;
        return FE_DIVBYZERO;
    case 2:
        sink = zero / zero;
        return FE_INVALID;
    case 3:
        sink = huge * huge;
        return FE_OVERFLOW | FE_INEXACT;
    default:
        sink = one / three;
        (void)sink;
        return FE_INEXACT;
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
