/* SPDX-License-Identifier: MIT */
/*
 * Never stuck: what happens to a processor whose carrier does not come back.
 *
 * Foreseen: a coroutine that enters the kernel for a call that may wait long says so (enter), and its
 * processor goes to a spare or new carrier at once.
 *
 * Unforeseen: a coroutine computes for long, or blocks in a call that weft does not know. The monitor, one
 * kernel thread, looks at the processors every WEFT_SLICE; one that has been outside of core since the last
 * look, while there is work for it, goes to another carrier.
 *
 * Either way the coroutine goes on where it is, scheduled by the kernel beside the rest, and queues for a
 * processor when it next needs one.
 */
#ifndef WEFT_CORE_MONITOR_H
#define WEFT_CORE_MONITOR_H

#include "coroutine.h"

#define WEFT_SLICE INT64_C(10000000) /* ns */

/* Before a system call that waits: `self`, not in core, gives its processor away. */
void weft_kernel_enter(struct coroutine *self);

/* After it. May park (reason: processor). */
void weft_kernel_leave(struct coroutine *self);

/* Starts the monitor unless it runs. Without memory or threads for it weft does without. */
void weft_monitor_start(void);

/* A processor that slept has work again. */
void weft_monitor_wake(void);

/* After a fork: there is no monitor. */
void weft_monitor_forget(void);

#endif
