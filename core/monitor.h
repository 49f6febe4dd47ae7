/* SPDX-License-Identifier: MIT */
/*
 * Never stuck: what happens to a processor whose carrier does not come back.
 *
 *   Who                                            what                                    when
 *   a hook before a call that will wait            gives its processor to another carrier  at once
 *     (weft_kernel_enter)
 *   a hook around a call that may wait             says so (in_kernel)                     the monitor, after
 *     (weft_kernel_brief_begin)                                                            some 20 us
 *   a computation, a page fault, a call that       nothing                                 the monitor, after
 *     nobody foresaw; a carrier that is not run                                            WEFT_SLICE
 *   one that has computed for long before (hog)    gives its processor away when it leaves at once
 *                                                  core
 *
 * The coroutine goes on where it is, scheduled by the kernel beside the rest, and queues for a processor when
 * it next needs one. A processor is taken only when there is something that it could do.
 *
 * A hog is one from whom a processor was taken so, whose carrier has used CPU for half of that time, and who
 * made no system call in the last 0.1 ms of it: for who does, as one that contends for locks, gave his
 * processor away at each of them, and queued for it at the next. (slapd's threads meet at syslog's lock.)
 */
#ifndef WEFT_CORE_MONITOR_H
#define WEFT_CORE_MONITOR_H

#include "carrier.h"

/* How long a computation may keep others waiting, ns. A native scheduler's slice is 3 ms; a processor that
 * changes hands costs some 20 us, so this is 2 percent of a hog's first turn, and nothing later. */
#define WEFT_SLICE INT64_C(1000000)

/* Before a system call that waits: `self`, not in core, gives its processor away. */
void weft_kernel_enter(struct coroutine *self);

/* After it. May park (reason: processor). */
void weft_kernel_leave(struct coroutine *self);

/* Around a system call that mostly does not wait, but can; `self` is not in core. Never parks. */
static inline void weft_kernel_brief_begin(struct coroutine *self)
{
    atomic_store_explicit(&self->carrier->in_kernel, true, memory_order_relaxed);
}

static inline void weft_kernel_brief_end(struct coroutine *self)
{
    atomic_store_explicit(&self->carrier->in_kernel, false, memory_order_relaxed);
}

/* Starts the monitor unless it runs. Without memory or threads for it weft does without. */
void weft_monitor_start(void);

/* True from when it was started on. */
bool weft_monitor_runs(void);

/* Has it make a kernel thread for the carrier, in a millisecond at most; when there is none to be had, as
 * soon as there is. Its own kernel thread is as the process's were at the start (bound.h). Returns 0; -EAGAIN
 * when it does not run. */
int weft_monitor_make(struct carrier *carrier);

/* Around a clone of the calling kernel thread: should that be the monitor, its clone has the program's timer
 * slack. */
void weft_monitor_lend_slack(bool lends);

/* There is something to do, published before: the monitor, if it sleeps, looks again from time to time. The
 * barrier between that and this look is the monitor's (membarrier). */
extern atomic_uint weft_monitor_asleep;
void weft_monitor_wake_up(void);
static inline void weft_monitor_wake(void)
{
    atomic_signal_fence(memory_order_seq_cst);
    if (__builtin_expect(atomic_load_explicit(&weft_monitor_asleep, memory_order_relaxed) != 0, 0))
        weft_monitor_wake_up();
}

/* After a fork: there is no monitor. */
void weft_monitor_forget(void);

#endif
