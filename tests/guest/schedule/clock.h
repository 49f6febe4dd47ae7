// SPDX-License-Identifier: MIT
// CPU clocks of threads, and computing by them.
#ifndef SCHEDULE_CLOCK_H
#define SCHEDULE_CLOCK_H

#include "guest.h"

static inline clockid_t clock_of(pthread_t thread)
{
    clockid_t clock;
    CHECK_EQUAL(pthread_getcpuclockid(thread, &clock), 0);
    return clock;
}

// Computes for so long by the caller's own clock.
static inline void burn(int64_t nanoseconds)
{
    int64_t end = guest_now(CLOCK_THREAD_CPUTIME_ID) + nanoseconds;
    while (guest_now(CLOCK_THREAD_CPUTIME_ID) < end)
        continue;
}

// Computes, without a call, something that is proportional to `amount`.
static inline unsigned compute(unsigned amount)
{
    unsigned value = amount;
    for (unsigned i = 0; i < amount; i++) {
        value = value * 1664525 + 1013904223;
        __asm__ volatile("" : "+r"(value));
    }
    return value;
}

#endif
