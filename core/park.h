/* SPDX-License-Identifier: MIT */
/*
 * Parking: the one way in which a coroutine stops.
 *
 * The protocol, in numbered steps; park.c refers to them:
 *
 *   1. enter    The coroutine enters core: it owns its processor from here on. (It may find that the
 *               processor was taken meanwhile; then it waits for another one, before anything else.)
 *   2. publish  It sets state, reason and `abandon`, then puts itself where its waker looks: in a futex
 *               queue with the bucket locked, or in watchers and a timer of its own processor.
 *   3. pick     It takes the next coroutine of the processor, or the carrier's own context.
 *   4. switch   All its registers are stored; the next stack is loaded.
 *   5. commit   `after` runs on the next stack and releases the lock of step 2. Only now can a waker on
 *               another processor get at it; one on this processor could not run before.
 *   6. claim    A waker takes it out of the queue of step 2 under that queue's protection. Whoever
 *               succeeds is the only one to make it ready: a time-out and a wake-up cannot both.
 *   7. ready    The claimer sets wake_result and state, and queues it: on `home` when it has a timer or
 *               watchers there, else on the waker's own processor.
 *   8. return   It is dispatched, takes down what is left (its timer, on `home`), and leaves core.
 *
 * None of these functions may be called from a signal handler.
 */
#ifndef WEFT_CORE_PARK_H
#define WEFT_CORE_PARK_H

#include "processor.h"

/* Step 1. Returns the processor that `self` owns now. May park (reason: processor). */
struct processor *weft_core_enter(struct coroutine *self);

/* The counterpart: program code or the kernel comes next. */
void weft_core_leave(struct coroutine *self);

/* Steps 3 to 5. In core, on return too. Returns what the waker passed: 0 or -errno. */
int weft_park(struct coroutine *self, enum weft_reason reason, void (*after)(void *), void *argument);

/* Step 7, by the claimer, which is in core on `here` (NULL: a kernel thread without a processor).
 * `coroutine` runs soon: behind what is queued already. */
void weft_ready(struct processor *here, struct coroutine *coroutine, int result);

/* The same for a hand-over: it runs before what is queued, as soon as the caller stops. */
void weft_ready_next(struct processor *here, struct coroutine *coroutine, int result);

/* A signal is due for `target`, whose signal_due is set: when it is parked it is readied with -EINTR. In core on
 * `here`. */
void weft_interrupt(struct processor *here, struct coroutine *target);

/* Starts and stops the deadline of a wait; WEFT_NEVER starts nothing. In core. */
int weft_deadline_start(struct coroutine *self, struct processor *processor, int64_t deadline);
void weft_deadline_stop(struct coroutine *self, struct processor *processor);

/* Lets other ready coroutines run. Returns false when there was none. Not in core. */
bool weft_yield(struct coroutine *self);

/* Ends `self`, in core: switches away for good and calls after(argument) when its stack is no longer used. */
_Noreturn void weft_end(struct coroutine *self, void (*after)(void *), void *argument);

#endif
