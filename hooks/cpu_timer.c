/* SPDX-License-Identifier: MIT */
/*
 * Timers on the CPU clock of a thread.
 *
 * The kernel has no such clock for a coroutine. Behind each timer is one of the kernel's on the CPU clock of
 * the process, which is never slower than a thread's: it is set for what is missing of the thread's time, and
 * when it expires it is looked (weft_cpu_timer_take) whether the thread's time has come, or how much is still
 * missing. So a process that does nothing is not woken, and a timer is as exact as natively, where the kernel
 * looks at its ticks.
 *
 * Contexts: the hooks as all are, in turn by the lock; weft_cpu_timer_take in signal handlers, on any kernel
 * threads at a time, also while a hook has the lock. `expiry` is taken by compare-and-swap, so each
 * expiration is counted once. Who has started the kernel's timer looks whether `expiry` is still what he has
 * started it for, and else starts it anew: so the last to start it has seen the last `expiry`.
 */
#include <errno.h>
#include <stddef.h>
#include <time.h>

#include "../core/coroutine.h"
#include "../core/cpu_time.h"
#include "deadline.h"
#include "hooks.h"
#include "signal.h"
#include "signal_timer.h"
#include "user.h"

enum { SECOND = 1000000000 };

static struct timespec timespec(int64_t nanoseconds)
{
    return (struct timespec){nanoseconds / SECOND, nanoseconds % SECOND};
}

/* The kernel's timer expires in so many ns of the process's CPU time; 0: not at all. */
static void start(const struct weft_signal_timer *timer, int64_t span)
{
    struct itimerspec once = {{0, 0}, timespec(span)};
    if (timer->number)
        weft_raw4(SYS_timer_settime, timer->id, 0, (long)&once, 0);
}

/* The clock of a thread that has ended stands still for ever. */
static bool runs(const struct weft_signal_timer *timer)
{
    return weft_coroutine_find(timer->clock_tid) == timer->clock;
}

/* How often a timer that expires at `expiry` has done so at `now`; `expiry` becomes the next, 0: there is
 * none. */
static int64_t pass(int64_t *expiry, int64_t interval, int64_t now)
{
    int64_t count = interval ? (now - *expiry) / interval + 1 : 1;
    *expiry = interval ? weft_span_add(*expiry, count * interval) : 0;
    return count;
}

int64_t weft_cpu_timer_take(struct weft_signal_timer *timer)
{
    int64_t count = atomic_exchange(&timer->owed, 0), expiry;
    while ((expiry = timer->expiry) != 0 && runs(timer)) {
        int64_t now = weft_cpu_time_peek(timer->clock), next = expiry;
        if (now < expiry) {
            start(timer, expiry - now);
            if (timer->expiry == expiry)
                break;
            continue;
        }
        int64_t passed = pass(&next, timer->interval, now);
        if (atomic_compare_exchange_strong(&timer->expiry, &expiry, next))
            count += passed;
    }
    return count;
}

/* What timer_gettime tells. With the lock held. */
static struct itimerspec setting(const struct weft_signal_timer *timer, int64_t expiry, int64_t now)
{
    int64_t interval = timer->interval;
    if (expiry == 0 || (!timer->number && !interval && expiry <= now))
        return (struct itimerspec){0};
    if (expiry <= now && interval)
        pass(&expiry, interval, now);
    return (struct itimerspec){timespec(interval), timespec(expiry > now ? expiry - now : 1)};
}

/* As if the kernel's timer had expired. */
static void look(struct weft_signal_timer *timer)
{
    siginfo_t info = {.si_signo = WEFT_TIMER_CARRIED_BY, .si_code = SI_TIMER};
    info.si_timerid = timer->id;
    info.si_value.sival_ptr = timer;
    if (timer->number)
        weft_raw3(SYS_rt_sigqueueinfo, weft_raw0(SYS_getpid), WEFT_TIMER_CARRIED_BY, (long)&info);
}

static long set(struct weft_signal_timer *timer, const struct itimerspec *new, bool absolute,
                struct itimerspec *old)
{
    if (!runs(timer))
        return -ESRCH;
    int64_t now = weft_cpu_time(timer->clock);
    int64_t expiry = weft_span_of(&new->it_value), interval = weft_span_of(&new->it_interval);
    if (expiry && !absolute)
        expiry = weft_span_add(expiry, now);
    struct itimerspec before = setting(timer, timer->expiry, now);
    timer->interval = expiry ? interval : 0; /* before `expiry`: whoever takes that uses this */
    timer->expiry = expiry;
    start(timer, expiry > now ? expiry - now : 0);
    if ((expiry && expiry <= now) || timer->expiry != expiry)
        look(timer); /* at once, whether anybody computes or not */
    if (old)
        *old = before;
    return 0;
}

/* -EBADF: it is no timer on a thread's clock. */
static long on_timer(int id, const struct itimerspec *new, bool absolute, struct itimerspec *old)
{
    if (weft_cpu_timers == 0)
        return -EBADF;
    long result = -EBADF;
    weft_lock_acquire(&weft_signal_timers_lock);
    struct weft_signal_timer *timer = weft_signal_timer_find(id);
    if (timer && timer->clock && new)
        result = set(timer, new, absolute, old);
    else if (timer && timer->clock) {
        *old =
            runs(timer) ? setting(timer, timer->expiry, weft_cpu_time(timer->clock)) : (struct itimerspec){0};
        result = 0;
    }
    weft_lock_release(&weft_signal_timers_lock);
    return result;
}

/* The kernel, whose timer has the id, is asked first where the program's pointer is written to. */
WEFT_HOOK(timer_settime)
{
    struct itimerspec new, *old = (struct itimerspec *)call->arguments[3];
    if (weft_cpu_timers == 0 || !weft_user_read(&new, (const void *)call->arguments[2], sizeof new) ||
        !weft_timespec_valid(&new.it_value) || !weft_timespec_valid(&new.it_interval))
        return weft_call_raw(call); /* also for its error */
    struct itimerspec unused;
    if (old && weft_raw2(SYS_timer_gettime, call->arguments[0], (long)old) != 0)
        return weft_call_raw(call);
    long result =
        on_timer((int)call->arguments[0], &new, call->arguments[1] & TIMER_ABSTIME, old ? old : &unused);
    return result == -EBADF ? weft_call_raw(call) : result;
}

WEFT_HOOK(timer_gettime)
{
    long result = weft_call_raw(call);
    if (result == 0)
        on_timer((int)call->arguments[0], NULL, false, (struct itimerspec *)call->arguments[1]);
    return result;
}
