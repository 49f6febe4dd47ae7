/* SPDX-License-Identifier: MIT */
/*
 * Masks, and waiting for signals.
 *
 * sigwait and its like look into our queues and into the kernel's, for what all threads block waits there. To
 * be told when something comes the coroutine watches a signalfd, like any descriptor: one for the process,
 * which tells of all signals that somebody waits for. Whoever is woken and finds nothing waits again.
 */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <time.h>

#include "../core/carrier.h"
#include "../core/libev_system.h"
#include "../core/lock.h"
#include "../core/park.h"
#include "../core/place.h"
#include "deadline.h"
#include "hooks.h"
#include "signal.h"
#include "user.h"
#include "wait.h"

/* What may be taken from the kernel: not the signal of its timers, which carries one of the same number for
 * glibc's helper of SIGEV_THREAD, or another's. */
static const uint64_t IN_KERNEL = ~(UINT64_C(1) << (WEFT_TIMER_CARRIED_BY - 1));

static int arrivals = -1;     /* the signalfd */
static struct weft_lock lock; /* protects its creation, and orders its masks */

WEFT_HOOK(rt_sigprocmask)
{
    struct coroutine *self = weft_current;
    const uint64_t *set = (const uint64_t *)call->arguments[1];
    uint64_t *old = (uint64_t *)call->arguments[2], before = self->signal_mask, after = before;
    if (call->arguments[3] != WEFT_MASK_SIZE)
        return -EINVAL;
    if (set) {
        uint64_t change = *set & ~WEFT_SIGNALS_UNBLOCKABLE;
        switch (call->arguments[0]) {
        case SIG_BLOCK:
            after |= change;
            break;
        case SIG_UNBLOCK:
            after &= ~change;
            break;
        case SIG_SETMASK:
            after = change;
            break;
        default:
            return -EINVAL;
        }
    }
    if (old)
        *old = before;
    weft_signal_mask_set(self, after);
    return 0;
}

WEFT_HOOK(rt_sigpending)
{
    struct coroutine *self = weft_current;
    long result = weft_call_raw(call);
    if (result == 0 && call->arguments[1] == WEFT_MASK_SIZE)
        *(uint64_t *)call->arguments[0] =
            (*(uint64_t *)call->arguments[0] | weft_signals_pending(self)) & self->signal_mask;
    return result;
}

static bool abandon_wait(struct coroutine *self)
{
    (void)self;
    return true; /* only a signal ends it, on its home */
}

static long wait_for_handler(struct weft_call *call)
{
    struct coroutine *self = weft_current;
    (void)call;
    weft_park_announce(self, weft_core_enter(self), abandon_wait);
    long result = weft_park(self, WEFT_REASON_SIGNAL, NULL, NULL);
    weft_core_leave(self);
    return result;
}

WEFT_HOOK(pause)
{
    return wait_for_handler(call);
}

WEFT_HOOK(rt_sigsuspend)
{
    return weft_with_signal_mask(call, (const uint64_t *)call->arguments[0], (size_t)call->arguments[1],
                                 wait_for_handler);
}

/* The signal's number, or -EAGAIN. */
static long take(struct coroutine *self, uint64_t set, siginfo_t *info)
{
    struct timespec none = {0, 0};
    if (!weft_signal_next(self, set, info)) {
        set &= IN_KERNEL;
        return weft_raw4(SYS_rt_sigtimedwait, (long)&set, (long)info, (long)&none, WEFT_MASK_SIZE);
    }
    if (info->si_code == SI_TIMER)
        weft_timer_delivered(info);
    return info->si_signo;
}

/* Makes the signalfd tell of `set`. Returns the descriptor or -errno. */
static int tell_of(uint64_t set)
{
    weft_lock_acquire(&lock);
    int result = arrivals;
    set &= IN_KERNEL;
    if (arrivals >= 0) {
        weft_raw4(SYS_signalfd4, arrivals, (long)&set, WEFT_MASK_SIZE, 0);
    } else {
        long fd = weft_raw4(SYS_signalfd4, -1, (long)&set, WEFT_MASK_SIZE, SFD_CLOEXEC | SFD_NONBLOCK);
        result = arrivals = weft_own_descriptor(fd);
    }
    weft_lock_release(&lock);
    return result;
}

static long wait_for_arrival(struct coroutine *self, uint64_t set, int64_t deadline)
{
    uint64_t all;
    if (!weft_signal_wait_begin(self, set, &all))
        return 0;
    struct weft_watcher watcher = {.fd = tell_of(all), .events = WEFT_READABLE, .shared = true};
    long result = watcher.fd < 0 ? -EAGAIN : weft_wait_watchers(&watcher, 1, WEFT_REASON_SIGNAL, deadline);
    weft_signal_wait_end(self);
    return result;
}

WEFT_HOOK(rt_sigtimedwait)
{
    struct coroutine *self = weft_current;
    siginfo_t *wanted = (siginfo_t *)call->arguments[1], info;
    const struct timespec *timeout = (const struct timespec *)call->arguments[2];
    struct timespec span;
    uint64_t set;
    if (call->arguments[3] != WEFT_MASK_SIZE)
        return -EINVAL;
    if (!weft_user_read(&set, (const void *)call->arguments[0], sizeof set) ||
        (timeout && !weft_user_read(&span, timeout, sizeof span)))
        return -EFAULT;
    if (timeout && !weft_timespec_valid(&span))
        return -EINVAL;
    set &= ~WEFT_SIGNALS_UNBLOCKABLE;
    int64_t deadline = weft_deadline_from(timeout ? &span : NULL, -1);
    bool wait = !timeout || span.tv_sec || span.tv_nsec;
    long result;
    while ((result = take(self, set, &info)) == -EAGAIN && wait) {
        long waited = wait_for_arrival(self, set, deadline);
        if (waited == -ETIMEDOUT)
            wait = false;
        /* What is for us alone interrupts too, and is taken above. Cleared before the look, so that what
         * comes behind the look is due again. */
        if (waited == -EINTR) {
            __atomic_store_n(&self->signal_due, 0, __ATOMIC_SEQ_CST);
            if ((weft_signals_pending(self) & set) == 0 &&
                (weft_signals_pending(self) & ~self->signal_mask || weft_signals_arrived)) {
                __atomic_store_n(&self->signal_due, 1, __ATOMIC_SEQ_CST);
                return -EINTR;
            }
        } else if (waited < 0 && waited != -ETIMEDOUT) {
            return waited;
        }
    }
    if (result > 0 && wanted)
        *wanted = info;
    if (weft_signals_pending(self) & ~self->signal_mask)
        __atomic_store_n(&self->signal_due, 1, __ATOMIC_SEQ_CST);
    return result;
}

/* The new program inherits the thread's signal mask and CPUs, and what is pending in the kernel. */
WEFT_HOOK(execve)
{
    struct coroutine *self = weft_current;
    uint64_t mask = self->signal_mask;
    weft_raw4(SYS_rt_sigprocmask, SIG_SETMASK, (long)&mask, 0, sizeof mask);
    self->carrier->kernel_mask = mask;
    weft_place_release(self->carrier);
    long result = weft_call_raw(call);
    weft_signal_mask_follow(self->carrier);
    return result;
}

void weft_signal_wait_restart(void)
{
    lock = (struct weft_lock){0};
}
