/* SPDX-License-Identifier: MIT */
/* See cpu_clock.h; what is counted, and how, is core/cpu_time.h's subject. */
#include "cpu_clock.h"

#include <errno.h>
#include <sys/resource.h>

#include "../core/cpu_time.h"
#include "call.h"
#include "deadline.h"
#include "hooks.h"
#include "sleep.h"

enum { SECOND = 1000000000, MICROSECOND = 1000, MICROSECONDS = 1000000 };

clockid_t weft_cpu_clock_id(const struct coroutine *coroutine)
{
    return (clockid_t)(~(unsigned)weft_coroutine_short_id(coroutine->tid) << 3 | 6);
}

struct coroutine *weft_cpu_clock_find(clockid_t clock)
{
    if (!weft_cpu_clock_of_thread(clock))
        return NULL;
    int id = (int)(~(unsigned)clock >> 3); /* the highest bit of the clock's is set, so this one's is not */
    return clock == CLOCK_THREAD_CPUTIME_ID || id == 0 ? weft_current : weft_coroutine_find_short(id);
}

static int64_t used(struct coroutine *coroutine)
{
    weft_cpu_time_begin();
    return weft_cpu_time(coroutine);
}

/* The kernel is asked first, for a clock that it has: it knows which pointers are bad. */
WEFT_HOOK(clock_getres)
{
    struct weft_call copy = *call;
    if (weft_cpu_clock_find((clockid_t)call->arguments[0]))
        copy.arguments[0] = CLOCK_THREAD_CPUTIME_ID;
    return weft_call_raw(&copy);
}

WEFT_HOOK(clock_gettime)
{
    struct coroutine *target = weft_cpu_clock_find((clockid_t)call->arguments[0]);
    if (!target)
        return weft_call_raw(call);
    struct timespec *time = (struct timespec *)call->arguments[1];
    long result = weft_raw2(SYS_clock_getres, CLOCK_THREAD_CPUTIME_ID, (long)time);
    if (result != 0 || !time)
        return time ? result : -EFAULT;
    int64_t now = used(target);
    *time = (struct timespec){now / SECOND, now % SECOND};
    return 0;
}

/* What was used since the last call is divided as the carrier's use is: so neither part goes back. */
static void split(struct coroutine *self, const struct rusage *carriers)
{
    int64_t user = carriers->ru_utime.tv_sec * MICROSECONDS + carriers->ru_utime.tv_usec;
    int64_t system = carriers->ru_stime.tv_sec * MICROSECONDS + carriers->ru_stime.tv_usec;
    int64_t now = used(self), more = now - self->cpu_time_split;
    if (system > 0) /* in thousandths: the product of two times may not fit */
        self->cpu_time_system += more / MICROSECOND * (system * MICROSECOND / (user + system));
    self->cpu_time_split = now;
}

static struct timeval timeval(int64_t nanoseconds)
{
    int64_t microseconds = nanoseconds / MICROSECOND;
    return (struct timeval){microseconds / MICROSECONDS, microseconds % MICROSECONDS};
}

WEFT_HOOK(getrusage)
{
    long result = weft_call_raw(call);
    if (result != 0 || (int)call->arguments[0] != RUSAGE_THREAD)
        return result;
    struct coroutine *self = weft_current;
    struct rusage *usage = (struct rusage *)call->arguments[1];
    split(self, usage);
    usage->ru_utime = timeval(self->cpu_time_split - self->cpu_time_system);
    usage->ru_stime = timeval(self->cpu_time_system);
    return 0;
}

/*
 * A thread's clock is not faster than time: so the sleep lasts at least for what is missing, and then it is
 * looked again, but not more often than the kernel would, which looks at its ticks.
 */
long weft_cpu_clock_sleep(const struct weft_call *call, struct coroutine *target, const struct timespec *time)
{
    enum { TICK = 4000000 };
    bool absolute = call->arguments[1] & TIMER_ABSTIME;
    int tid = target->tid;
    if (target == weft_current)
        return -EINVAL;
    int64_t until = weft_span_of(time);
    if (!absolute) {
        if (!weft_current->restarted) /* else it goes on, see deadline.c */
            weft_current->wait_began = used(target);
        until = weft_span_add(weft_current->wait_began, until);
    }
    for (;;) {
        int64_t missing = until - used(target);
        if (missing <= 0)
            return 0;
        /* Whose clock stands still for ever is slept on for ever, as natively. */
        bool ended = weft_coroutine_find(tid) != target;
        long result = weft_sleep_until(weft_current,
                                       ended ? WEFT_NEVER : weft_now() + (missing > TICK ? missing : TICK));
        if (result == -EINTR && !absolute && call->arguments[3])
            *(struct timespec *)call->arguments[3] = (struct timespec){missing / SECOND, missing % SECOND};
        if (result < 0)
            return result;
    }
}
