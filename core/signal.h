/* SPDX-License-Identifier: MIT */
/*
 * Signals and coroutines: masks, queues, and who gets what.
 *
 * Kernel threads are not the program's threads, so a handler that the program installs is not the kernel's:
 * hooks/signal.c puts one of its own there, which does one of two things.
 *   - It interrupted program code of a coroutine that does not block the signal: it calls the program's
 *     handler there and then, as natively.
 *   - It interrupted weft itself, or a coroutine that blocks the signal: it leaves a record (arrive), and a
 *     carrier gives that to a coroutine (distribute), which runs the handler at the end of the system call
 *     that it is in, waking it with -EINTR when it is parked.
 *
 * Masks cost no system call: a kernel thread blocks what all coroutines block, and a change of that is rare.
 */
#ifndef WEFT_CORE_SIGNAL_H
#define WEFT_CORE_SIGNAL_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "coroutine.h"
#include "processor.h"

struct weft_signal {
    struct weft_signal *next;
    struct coroutine *target; /* NULL: the process; any coroutine that does not block it */
    siginfo_t info;
    atomic_bool used;
};

static inline uint64_t weft_signal_bit(int number)
{
    return UINT64_C(1) << (number - 1);
}

/* A record, or NULL when all are in use. Callable from signal handlers, like weft_signal_arrive. */
struct weft_signal *weft_signal_take(const siginfo_t *info, struct coroutine *target);
void weft_signal_give(struct weft_signal *signal);

/* Leaves the record for the next carrier that looks, and wakes one that sleeps. */
void weft_signal_arrive(struct weft_signal *signal);

/* True when records wait to be distributed. */
extern atomic_bool weft_signals_arrived;

/* On a carrier, in core: gives each record to a coroutine that does not block it, or holds it. */
void weft_signals_distribute(struct processor *processor);

/* Takes the oldest signal of `self` that is in `set`; NULL when there is none. The caller gives it back. */
struct weft_signal *weft_signal_next(struct coroutine *self, uint64_t set);

/* The signals queued for `self` or held for the process, as a set. */
uint64_t weft_signals_pending(struct coroutine *self);

/* Changes the mask of `self`, and the kernel threads' when all coroutines agree on a signal. */
void weft_signal_mask_set(struct coroutine *self, uint64_t mask);

/* The mask of a coroutine begins (a copy of its creator's) and ends to count. */
void weft_signal_mask_begin(struct coroutine *coroutine, uint64_t mask);
void weft_signal_mask_end(struct coroutine *coroutine);

/* What kernel threads block now. */
uint64_t weft_signal_kernel_mask(void);

/* In the child of a fork: nothing is pending, only `self` is left. */
void weft_signals_restart(struct coroutine *self);

#endif
