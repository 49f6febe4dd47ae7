/* SPDX-License-Identifier: MIT */
/* sched_yield, nanosleep and clock_nanosleep. */
#include <errno.h>
#include <time.h>

#include "../core/park.h"
#include "block.h"
#include "call.h"
#include "cpu_clock.h"
#include "deadline.h"
#include "hooks.h"
#include "sleep.h"
#include "user.h"

WEFT_HOOK(sched_yield)
{
    if (weft_yield(weft_current))
        return 0;
    return weft_call_raw(call); /* nobody here wants the processor; perhaps another process does */
}

static bool abandon_sleep(struct coroutine *self)
{
    (void)self;
    return true; /* only its deadline, or a signal, ends a sleep, both on its home */
}

long weft_sleep_until(struct coroutine *self, int64_t deadline)
{
    struct processor *processor = weft_core_enter(self);
    weft_park_announce(self, processor, abandon_sleep);
    long result = weft_deadline_start(self, processor, deadline);
    if (result == 0)
        result = weft_park(self, WEFT_REASON_SLEEP, NULL, NULL);
    else
        weft_park_give_up(self);
    weft_core_leave(self);
    return result == -ETIMEDOUT ? 0 : result;
}

static long sleep_for(const struct timespec *span, struct timespec *left)
{
    int64_t deadline = weft_deadline_from(span, -1);
    long result = weft_sleep_until(weft_current, deadline);
    if (result == -EINTR && left)
        *left = weft_deadline_left(deadline);
    return result;
}

WEFT_HOOK(nanosleep)
{
    struct timespec span;
    if (!weft_user_read(&span, (const void *)call->arguments[0], sizeof span) || !weft_timespec_valid(&span))
        return weft_call_raw(call); /* for its error */
    if (span.tv_sec == 0 && span.tv_nsec == 0)
        return weft_call_raw(call);
    return sleep_for(&span, (struct timespec *)call->arguments[1]);
}

WEFT_HOOK(clock_nanosleep)
{
    int clock = (int)call->arguments[0];
    bool absolute = call->arguments[1] & TIMER_ABSTIME;
    struct timespec copy;
    const struct timespec *time = &copy;
    bool ours = clock == CLOCK_MONOTONIC || clock == CLOCK_REALTIME || (clock == CLOCK_BOOTTIME && !absolute);
    if (!weft_user_read(&copy, (const void *)call->arguments[2], sizeof copy) || !weft_timespec_valid(time))
        return weft_call_raw(call);
    struct coroutine *target = weft_cpu_clock_find(clock);
    if (target)
        return weft_cpu_clock_sleep(call, target, time);
    if (!ours) /* the process's CPU time and other clocks: the kernel's */
        return weft_block_in_kernel(call);
    if (!absolute)
        return time->tv_sec || time->tv_nsec ? sleep_for(time, (struct timespec *)call->arguments[3])
                                             : weft_call_raw(call);
    /* The realtime clock may be set meanwhile: look again when the deadline as known now has come. */
    for (;;) {
        struct timespec now;
        clock_gettime(clock, &now);
        if (now.tv_sec > time->tv_sec || (now.tv_sec == time->tv_sec && now.tv_nsec >= time->tv_nsec))
            return 0;
        long result = weft_sleep_until(weft_current, weft_deadline_from(time, clock));
        if (result < 0)
            return result;
    }
}
