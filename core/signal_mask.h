/* SPDX-License-Identifier: MIT */
/*
 * Signal masks. Each coroutine has its own; the kernel thread that receives the process's signals blocks what
 * all coroutines block. So a switch between coroutines changes no mask, what somebody can have is caught, and
 * what nobody can have waits in the kernel, where signalfd and the next program after an exec find it.
 */
#ifndef WEFT_CORE_SIGNAL_MASK_H
#define WEFT_CORE_SIGNAL_MASK_H

#include <signal.h>
#include <stdint.h>

#include "coroutine.h"

struct carrier;

static inline uint64_t weft_signal_bit(int number)
{
    return UINT64_C(1) << (number - 1);
}

/* Never blocked: SIGKILL and SIGSTOP. */
#define WEFT_SIGNALS_UNBLOCKABLE (UINT64_C(1) << (SIGKILL - 1) | UINT64_C(1) << (SIGSTOP - 1))

/* Changes the mask of `self`, the running coroutine, and the kernel threads' when all coroutines agree. Sets
 * signal_due when a signal that waits can be had now. */
void weft_signal_mask_set(struct coroutine *self, uint64_t mask);

/* Blocks more while a handler runs. Kernel threads do not follow: what comes meanwhile waits in our queues.
 */
void weft_signal_mask_add(struct coroutine *self, uint64_t more);

/* The mask of a coroutine begins (a copy of its creator's) and ends to count. What was sent to it alone is
 * lost then, what was sent to the process goes to another. */
void weft_signal_mask_begin(struct coroutine *coroutine, uint64_t mask);
void weft_signal_mask_end(struct coroutine *coroutine);

/* What kernel threads block now. */
uint64_t weft_signal_kernel_mask(void);

/* A signal for the process was left to the kernel because all blocked it. Fetches it, as an arrival, if they
 * no longer do. */
void weft_signal_mask_sent(uint64_t bit);

/* On the carrier's kernel thread: blocks just that. No system call when it does already. */
void weft_signal_mask_follow(struct carrier *carrier);

/* Around a call of `self` in which the kernel looks whether its thread blocks SIGTTIN or SIGTTOU: job
 * control. Its kernel thread blocks them as `self` does. `self` stays with its carrier. */
void weft_signal_mask_lend(struct coroutine *self);
void weft_signal_mask_unlend(struct coroutine *self);

/* What its kernel thread is to block. */
uint64_t weft_signal_mask_wanted(const struct carrier *carrier);

/* The same by changing the mask that a signal handler of the carrier's kernel thread will return to. */
void weft_signal_mask_follow_later(struct carrier *carrier, uint64_t *returned_to);

/* On a new kernel thread, or one that is about to sleep as a spare: blocks everything until it follows again.
 */
void weft_signal_mask_all(struct carrier *carrier);

#endif
