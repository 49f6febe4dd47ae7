/* SPDX-License-Identifier: MIT */
/*
 * The ids of threads' CPU clocks, as glibc and the kernel make them of thread ids: the complement of the id,
 * 3 bits to the left, and THREAD | SCHED below. That leaves 28 bits for the id, where ours have 30: a clock
 * of ours has, besides the index of the coroutine, a part of its generation (core/coroutine.c).
 *
 * How calls get here: clock_gettime and clock_getres of the program are ours (preload/cpu_clock.c).
 */
#ifndef WEFT_HOOKS_CPU_CLOCK_H
#define WEFT_HOOKS_CPU_CLOCK_H

#include <stdbool.h>
#include <time.h>

#include "../core/coroutine.h"

/* True when the id is that of some thread's CPU clock, perhaps of one that has ended. */
static inline bool weft_cpu_clock_of_thread(clockid_t clock)
{
    return clock == CLOCK_THREAD_CPUTIME_ID || ((unsigned)clock & 0x80000007) == 0x80000006;
}

/* The clock's id of a coroutine, and the coroutine of a clock: in a hook, or where weft_current is set. NULL:
 * there is none (any more), or the clock is no thread's. */
clockid_t weft_cpu_clock_id(const struct coroutine *coroutine);
struct coroutine *weft_cpu_clock_find(clockid_t clock);

/* clock_nanosleep on the clock of `target`. May park. */
struct weft_call;
long weft_cpu_clock_sleep(const struct weft_call *call, struct coroutine *target,
                          const struct timespec *time);

#endif
