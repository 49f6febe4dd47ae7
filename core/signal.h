/* SPDX-License-Identifier: MIT */
/*
 * Signals and coroutines: queues, and who gets what. (Masks: signal_mask.h.)
 *
 * Kernel threads are not the program's threads, so a handler that the program installs is not the kernel's:
 * hooks/signal.c puts one of its own there, which leaves a record (weft_signal_arrive).
 *
 *     ┌────────────────────────────┐    ┌────────────────────────────────────┐
 *     │ a coroutine: pthread_kill, │    │ the kernel: timers, other processes│
 *     │ raise, kill of this process│    │ a record: weft_signals_distribute  │
 *     └─────────────┬──────────────┘    └──────────────────┬─────────────────┘
 *                   └──────► weft_signal_send ◄────────────┘
 *                     queued for a thread or the process;
 *                     one who does not block it is told:
 *         parked   its wait ends with -EINTR (weft_interrupt)
 *         running  its kernel thread is kicked (WEFT_SIGNAL_KICK)
 *         ready    it looks at the end of its system call
 *
 * In all cases the coroutine itself runs the handler, on its own stack, at the end of the system call that it
 * is in or from the kick. signal_due tells it to look. A sender sets signal_due and then looks at the state;
 * a coroutine that parks sets its state and then looks at signal_due.
 */
#ifndef WEFT_CORE_SIGNAL_H
#define WEFT_CORE_SIGNAL_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "coroutine.h"
#include "processor.h"
#include "signal_mask.h"

/*
 * Signal 33 is glibc's SIGSETXID: sent from thread to thread only, so its own use never meets the kernel
 * under weft and the number is free there. No program can block it or change its action (glibc refuses both),
 * which no other number can promise.
 */
#define WEFT_SIGNAL_KICK 33

struct weft_signal {
    struct weft_signal *next;
    siginfo_t info;
    int tid; /* of an arrival: the thread that it is for; 0: the process */
    atomic_bool used;
    void *slab_link;
};

/* A record for a signal handler; NULL when all are in use. *scarce: few are left. Lock-free. */
struct weft_signal *weft_signal_take(const siginfo_t *info, int tid, bool *scarce);

/* Leaves the record for the next carrier that looks, and wakes one that sleeps. Callable from signal
 * handlers. */
void weft_signal_arrive(struct weft_signal *signal);

/* The same by one who distributes at once. */
void weft_signal_leave(struct weft_signal *signal);

/* True when records wait to be distributed. */
extern atomic_bool weft_signals_arrived;

/* In core on `here`: sends on what has arrived, and what was held and can be had now. */
void weft_signals_distribute(struct processor *here);

/* Returns when what has arrived before the call is where it belongs, whoever sends it on. `self` is not in
 * core; may park (reason: processor). */
void weft_signals_settle(struct coroutine *self);

/* Nobody distributes between the two: for a fork. Not in core. */
void weft_signals_stop(void);
void weft_signals_release(void);

/*
 * In core on `here`: queues the signal for the thread `tid`, or for the process when that is 0, and sees to
 * it that the receiver looks. Returns 0; -ESRCH when there is no such thread; -EAGAIN when memory is
 * exhausted.
 */
int weft_signal_send(struct processor *here, int tid, const siginfo_t *info);

/* Takes the signal of `self` in `set` that is to be delivered first: as the kernel, faults before others,
 * then by number, then by age, its own before the process's. False when there is none. */
bool weft_signal_next(struct coroutine *self, uint64_t set, siginfo_t *info);

/* The same for a handler: of those that `self` does not block, without what main is to have. */
bool weft_signal_next_handled(struct coroutine *self, siginfo_t *info);

/* All that it would find, as a set. */
uint64_t weft_signals_handled(struct coroutine *self);

/* The signals queued for `self` or held for the process, as a set. */
uint64_t weft_signals_pending(struct coroutine *self);

/* How many are queued in all. */
size_t weft_signals_queued(void);

/* `number` is ignored from now on: what is queued of it is gone. */
void weft_signals_discard(int number);

/* While it waits for signals in `set`, blocked as they are, `self` is one to send them to. begin returns
 * false when one is there already. `all`: what all who wait now want. */
bool weft_signal_wait_begin(struct coroutine *self, uint64_t set, uint64_t *all);
void weft_signal_wait_end(struct coroutine *self);

/* In the child of a fork: nothing is pending, only `self` is left. */
void weft_signals_restart(struct coroutine *self);

#endif
