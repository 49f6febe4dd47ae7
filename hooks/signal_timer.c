/* SPDX-License-Identifier: MIT */
/*
 * Timers that signal a thread (SIGEV_THREAD_ID, which glibc's SIGEV_THREAD uses too).
 *
 * The thread is one of ours, so the kernel's timer signals the process instead: with a number that nobody can
 * block, so that it is caught whatever the masks are, and with our own record as its value. What the thread
 * sees is put in when it is caught. The kernel counts as an overrun what expires while its signal is pending,
 * which is never long; what expires while ours is queued is counted there.
 */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>

#include "../core/lock.h"
#include "../core/slab.h"
#include "cpu_clock.h"
#include "hooks.h"
#include "signal.h"
#include "user.h"

struct thread_timer {
    struct thread_timer *next;
    int id; /* the kernel's; -1: deleted. Records are type-stable: a late signal finds another id */
    int tid, number;
    union sigval value;
    int overrun; /* of the signal delivered last */
    void *slab_link;
};

static struct weft_slab slab = WEFT_SLAB_OF(struct thread_timer);
static struct weft_lock lock; /* protects the list */
static struct thread_timer *timers;

static struct thread_timer **find(int id)
{
    struct thread_timer **link = &timers;
    while (*link && (*link)->id != id)
        link = &(*link)->next;
    return link;
}

/* The kernel has no clock for a coroutine: a timer runs on its carrier's, one for another thread on the
 * process's.
 */
static long kernels_clock(long clock)
{
    struct coroutine *target = weft_cpu_clock_find((clockid_t)clock);
    if (!target)
        return clock;
    return target == weft_current ? CLOCK_THREAD_CPUTIME_ID : CLOCK_PROCESS_CPUTIME_ID;
}

WEFT_HOOK(timer_create)
{
    struct sigevent event;
    long clock = kernels_clock(call->arguments[0]);
    int *id = (int *)call->arguments[2];
    if (!call->arguments[1] || !weft_user_read(&event, (const void *)call->arguments[1], sizeof event) ||
        event.sigev_notify != (SIGEV_SIGNAL | SIGEV_THREAD_ID))
        return weft_raw3(SYS_timer_create, clock, call->arguments[1], (long)id);
    int tid = event._sigev_un._tid;
    if (event.sigev_signo < 1 || event.sigev_signo > WEFT_SIGNALS || !weft_coroutine_find(tid))
        return -EINVAL;
    struct thread_timer *timer = weft_slab_take(&slab);
    if (!timer)
        return -EAGAIN;
    *timer =
        (struct thread_timer){.id = -1, .tid = tid, .number = event.sigev_signo, .value = event.sigev_value};
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = WEFT_TIMER_CARRIED_BY;
    event.sigev_value.sival_ptr = timer;
    long result = weft_raw3(SYS_timer_create, clock, (long)&event, (long)id);
    if (result != 0) {
        weft_slab_give(&slab, timer);
        return result;
    }
    weft_lock_acquire(&lock);
    timer->id = *id;
    timer->next = timers;
    timers = timer;
    weft_lock_release(&lock);
    return 0;
}

WEFT_HOOK(timer_delete)
{
    long result = weft_call_raw(call);
    if (result != 0)
        return result;
    weft_lock_acquire(&lock);
    struct thread_timer **link = find((int)call->arguments[0]), *timer = *link;
    if (timer) {
        *link = timer->next;
        __atomic_store_n(&timer->id, -1, __ATOMIC_SEQ_CST);
    }
    weft_lock_release(&lock);
    if (timer)
        weft_slab_give(&slab, timer);
    return result;
}

WEFT_HOOK(timer_getoverrun)
{
    long result = weft_call_raw(call);
    if (result < 0)
        return result;
    weft_lock_acquire(&lock);
    struct thread_timer *timer = *find((int)call->arguments[0]);
    if (timer)
        result = timer->overrun;
    weft_lock_release(&lock);
    return result;
}

int weft_timer_resolve(siginfo_t *info)
{
    if (info->si_signo != WEFT_TIMER_CARRIED_BY)
        return 0;
    if (info->si_code != SI_TIMER)
        return -1; /* nobody else's business */
    struct thread_timer *timer = info->si_value.sival_ptr;
    int tid = timer->tid;
    info->si_value = timer->value;
    info->si_signo = timer->number;
    return __atomic_load_n(&timer->id, __ATOMIC_SEQ_CST) == info->si_timerid ? tid : -1;
}

void weft_timer_delivered(const siginfo_t *info)
{
    weft_lock_acquire(&lock);
    struct thread_timer *timer = *find(info->si_timerid);
    if (timer)
        timer->overrun = info->si_overrun;
    weft_lock_release(&lock);
}

void weft_timers_restart(void)
{
    lock = slab.lock = (struct weft_lock){0};
    while (timers) { /* a child has none of them */
        struct thread_timer *timer = timers;
        timers = timer->next;
        weft_slab_give(&slab, timer);
    }
}
