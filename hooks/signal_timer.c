/* SPDX-License-Identifier: MIT */
/*
 * Timers of timer_create that have to do with a thread: those that signal one (SIGEV_THREAD_ID, which
 * glibc's SIGEV_THREAD uses too), and those on the CPU clock of one (cpu_timer.c).
 *
 * The thread is one of ours, so the kernel's timer signals the process instead: with a number that nobody can
 * block, so that it is caught whatever the masks are, and with our own record as its value. What the thread
 * sees is put in when it is caught. The kernel counts as an overrun what expires while its signal is pending,
 * which is never long; what expires while ours is queued is counted there.
 *
 * Signal handlers come to a record by its address, at any time. So records are not freed; a handler counts
 * itself in `looking` and then looks at the id, a creator takes only records that have no id and then looks
 * at `looking`, and sets the id last.
 */
#include "signal_timer.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <time.h>

#include "../core/cpu_time.h"
#include "../core/slab.h"
#include "cpu_clock.h"
#include "hooks.h"
#include "signal.h"
#include "user.h"

enum { NO_TIMER = -1 };

static struct weft_slab slab = WEFT_SLAB_OF(struct weft_signal_timer);
static struct weft_signal_timer *timers; /* all records */
struct weft_lock weft_signal_timers_lock;
atomic_uint weft_cpu_timers;

struct weft_signal_timer *weft_signal_timer_find(int id)
{
    struct weft_signal_timer *timer = timers;
    while (timer && timer->id != id)
        timer = timer->next;
    return timer;
}

/* A record without an id; with the lock held. */
static struct weft_signal_timer *take_record(void)
{
    struct weft_signal_timer *timer = timers;
    while (timer && (timer->id != NO_TIMER || timer->looking != 0))
        timer = timer->next;
    if (!timer && (timer = weft_slab_take(&slab)) != NULL) {
        timer->id = NO_TIMER;
        timer->next = timers;
        timers = timer;
    }
    return timer;
}

/* True for what the kernel accepts. `event` becomes what the timer is to do as the thread sees it. */
static bool event_of(const struct weft_call *call, struct sigevent *event)
{
    if (!call->arguments[1]) {
        *event = (struct sigevent){.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
        return true;
    }
    return weft_user_read(event, (const void *)call->arguments[1], sizeof *event);
}

static bool event_valid(const struct sigevent *event)
{
    switch (event->sigev_notify) {
    case SIGEV_NONE:
        return true;
    case SIGEV_SIGNAL | SIGEV_THREAD_ID:
        if (!weft_coroutine_find(event->_sigev_un._tid))
            return false;
        break;
    case SIGEV_SIGNAL:
    case SIGEV_THREAD:
        break;
    default:
        return false;
    }
    return event->sigev_signo >= 1 && event->sigev_signo <= WEFT_SIGNALS;
}

/* With the lock held. */
static long create(const struct sigevent *event, struct coroutine *clock_of, long clock,
                   const struct weft_call *call)
{
    struct weft_signal_timer *timer = take_record();
    if (!timer)
        return -EAGAIN;
    bool silent = event->sigev_notify == SIGEV_NONE;
    struct sigevent carried = {.sigev_notify = silent ? SIGEV_NONE : SIGEV_SIGNAL,
                               .sigev_signo = WEFT_TIMER_CARRIED_BY,
                               .sigev_value.sival_ptr = timer};
    int *id = (int *)call->arguments[2];
    long result = weft_raw3(SYS_timer_create, clock, (long)&carried, (long)id);
    if (result != 0)
        return result;
    timer->tid = event->sigev_notify & SIGEV_THREAD_ID ? event->_sigev_un._tid : 0;
    timer->number = silent ? 0 : event->sigev_signo;
    timer->value = event->sigev_value;
    if (!call->arguments[1])
        timer->value.sival_int = *id;
    timer->overrun = 0;
    timer->clock = clock_of;
    timer->clock_tid = clock_of ? clock_of->tid : 0;
    timer->expiry = timer->interval = timer->owed = 0;
    if (clock_of)
        weft_cpu_timers++;
    timer->id = *id;
    return 0;
}

WEFT_HOOK(timer_create)
{
    struct sigevent event;
    struct coroutine *clock_of = weft_cpu_clock_find((clockid_t)call->arguments[0]);
    if (!event_of(call, &event) || (!clock_of && event.sigev_notify != (SIGEV_SIGNAL | SIGEV_THREAD_ID)))
        return weft_call_raw(call);
    if (!event_valid(&event))
        return -EINVAL;
    if (clock_of)
        weft_cpu_time_begin();
    weft_lock_acquire(&weft_signal_timers_lock);
    long result = create(&event, clock_of, clock_of ? CLOCK_PROCESS_CPUTIME_ID : call->arguments[0], call);
    weft_lock_release(&weft_signal_timers_lock);
    return result;
}

WEFT_HOOK(timer_delete)
{
    long result = weft_call_raw(call);
    if (result != 0)
        return result;
    weft_lock_acquire(&weft_signal_timers_lock);
    struct weft_signal_timer *timer = weft_signal_timer_find((int)call->arguments[0]);
    if (timer) {
        if (timer->clock)
            weft_cpu_timers--;
        timer->id = NO_TIMER;
    }
    weft_lock_release(&weft_signal_timers_lock);
    return result;
}

WEFT_HOOK(timer_getoverrun)
{
    long result = weft_call_raw(call);
    if (result < 0)
        return result;
    weft_lock_acquire(&weft_signal_timers_lock);
    struct weft_signal_timer *timer = weft_signal_timer_find((int)call->arguments[0]);
    if (timer)
        result = timer->overrun;
    weft_lock_release(&weft_signal_timers_lock);
    return result;
}

/* What the timer's thread, or the process, shall see. False when there is nothing to be seen. */
static bool resolve(struct weft_signal_timer *timer, siginfo_t *info)
{
    if (timer->id != info->si_timerid)
        return false; /* deleted */
    if (timer->clock) {
        int64_t count = weft_cpu_timer_take(timer);
        if (count == 0)
            return false;
        info->si_overrun = count - 1 < INT_MAX ? (int)(count - 1) : INT_MAX;
    }
    info->si_value = timer->value;
    info->si_signo = timer->number;
    return true;
}

/* What everybody blocks waits in the kernel, where signalfd finds it. Once: what expires meanwhile is an
 * overrun, told of by the next. */
static void leave_to_kernel(struct weft_signal_timer *timer, siginfo_t *info)
{
    uint64_t pending = 0;
    weft_raw2(SYS_rt_sigpending, (long)&pending, sizeof pending);
    if (timer->interval && pending & weft_signal_bit(info->si_signo))
        timer->owed += 1 + (int64_t)info->si_overrun;
    else
        weft_raw3(SYS_rt_sigqueueinfo, weft_raw0(SYS_getpid), info->si_signo, (long)info);
}

int weft_timer_resolve(siginfo_t *info)
{
    if (info->si_signo != WEFT_TIMER_CARRIED_BY)
        return 0;
    if (info->si_code != SI_TIMER)
        return -1; /* nobody else's business */
    struct weft_signal_timer *timer = info->si_value.sival_ptr;
    timer->looking++;
    bool seen = resolve(timer, info);
    int tid = timer->tid;
    timer->looking--;
    if (!seen)
        return -1;
    if (tid == 0 && weft_signal_kernel_mask() & weft_signal_bit(info->si_signo)) {
        leave_to_kernel(timer, info);
        return -1;
    }
    return tid;
}

void weft_timer_postpone(const siginfo_t *carried, const siginfo_t *resolved)
{
    struct weft_signal_timer *timer = carried->si_value.sival_ptr;
    if (carried->si_signo == WEFT_TIMER_CARRIED_BY)
        timer->owed += 1 + (int64_t)resolved->si_overrun;
}

void weft_timer_delivered(const siginfo_t *info)
{
    weft_lock_acquire(&weft_signal_timers_lock);
    struct weft_signal_timer *timer = weft_signal_timer_find(info->si_timerid);
    if (timer)
        timer->overrun = info->si_overrun;
    weft_lock_release(&weft_signal_timers_lock);
}

void weft_timers_restart(void)
{
    weft_signal_timers_lock = (struct weft_lock){0};
    weft_cpu_timers = 0;
    for (struct weft_signal_timer *timer = timers; timer; timer = timer->next) { /* a child has none */
        timer->id = NO_TIMER;
        timer->looking = 0;
    }
}
