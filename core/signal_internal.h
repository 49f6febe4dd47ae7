/* SPDX-License-Identifier: MIT */
/* What signal.c and signal_mask.c share. */
#ifndef WEFT_CORE_SIGNAL_INTERNAL_H
#define WEFT_CORE_SIGNAL_INTERNAL_H

#include "lock.h"
#include "signal.h"

/* Protects queues, kinds of masks and the list of those who wait for signals. Signal handlers never take it
 * but where they interrupted program code. While it is held a bucket may be locked (weft_interrupt). */
extern struct weft_busy_lock weft_signal_lock;

/* With the lock held. The one to have a signal for the process: main when it can, as the kernel prefers; else
 * one that waits for it; else any. NULL: all block it. */
struct coroutine *weft_signal_choose(int number);

/* With the lock held: somebody who was told of process signals in `set` is no longer one to have them. */
void weft_signals_pass_on(uint64_t set);

/* With the lock held: the coroutine is no more; what was for it alone is given back. */
void weft_signals_drop(struct coroutine *coroutine);

/* With the lock held: main, or anybody, when it does not block the bit; else NULL. O(threads), as in the
 * kernel. It may block or end any time after, and then passes on what is queued before the call. */
struct coroutine *weft_signal_mask_main(uint64_t bit);
struct coroutine *weft_signal_mask_lacking(uint64_t bit);

/* With the lock held: what main does not block; empty when main is `self` or has ended. */
uint64_t weft_signal_mask_left_to_main(const struct coroutine *self);

/* True when there are signals for the process. */
bool weft_signals_held(void);

/* In the child of a fork. */
void weft_signal_mask_restart(struct coroutine *self);

#endif
