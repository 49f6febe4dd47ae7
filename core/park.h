/* SPDX-License-Identifier: MIT */
/*
 * Parking: the one way in which a coroutine stops.
 *
 * The protocol, in numbered steps; park.c refers to them:
 *
 *   1. enter    The coroutine enters core: it owns its processor from here on. (It may find that the
 *               processor was taken meanwhile; then it waits for another one, before anything else.)
 *   2. publish  It sets home, `abandon` and state, then looks whether a signal is due (announce): if so it
 * does not park. Else it puts itself where its waker looks: in a futex queue with the bucket locked, or in
 * watchers and a timer of its own processor, its home.
 *   3. pick     It takes the next coroutine of the processor, or the carrier's own context.
 *   4. switch   All its registers are stored; the next stack is loaded. (When a signal is due, that is the
 * carrier's, which completes the park and interrupts it.)
 *   5. commit   `after` runs on the next stack and releases the lock of step 2. Only now can a waker on
 *               another processor get at it; one on this processor could not run before.
 *   6. claim    A waker takes it out of the queue of step 2 under that queue's protection. Whoever
 *               succeeds is the only one to make it ready: a time-out and a wake-up cannot both.
 *   7. ready    The claimer sets wake_result and state, and queues it: when it has a home there, through the
 *               home's inbox if that is another processor, else on its own processor. The home takes down
 *               what is left of the wait (its timer), so what is queued has no home and may run anywhere.
 *   8. return   It is dispatched, perhaps by another processor, and leaves core.
 *
 * A signal interrupts a wait like any other waker. Its sender sets signal_due and looks at the state behind a
 * full barrier, step 2 sets the state and looks at signal_due behind one: at least one of them sees the
 * other.
 *
 * None of these functions may be called from a signal handler.
 */
#ifndef WEFT_CORE_PARK_H
#define WEFT_CORE_PARK_H

#include "processor.h"

struct processor *weft_core_enter_slowly(struct coroutine *self, struct carrier *carrier);
void weft_core_leave_as_hog(struct coroutine *self, struct carrier *carrier);

/* Step 1. Returns the processor that `self` owns now. May park (reason: processor). */
static inline struct processor *weft_core_enter(struct coroutine *self)
{
    struct carrier *carrier = self->carrier;
    struct processor *processor = carrier->processor;
    uintptr_t outside = (uintptr_t)carrier;
    if (__builtin_expect(atomic_compare_exchange_strong_explicit(&processor->owner, &outside,
                                                                 (uintptr_t)carrier | WEFT_IN,
                                                                 memory_order_acquire, memory_order_relaxed),
                         1))
        return processor;
    return weft_core_enter_slowly(self, carrier);
}

/* The same if it can be done at once, else NULL. A full barrier when it succeeds. */
static inline struct processor *weft_core_enter_at_once(struct coroutine *self)
{
    struct carrier *carrier = self->carrier;
    struct processor *processor = carrier->processor;
    uintptr_t outside = (uintptr_t)carrier;
    bool entered = atomic_compare_exchange_strong(&processor->owner, &outside, (uintptr_t)carrier | WEFT_IN);
    return entered ? processor : NULL;
}

/* The counterpart: program code or the kernel comes next. */
static inline void weft_core_leave(struct coroutine *self)
{
    struct carrier *carrier = self->carrier;
    if (__builtin_expect(__atomic_load_n(&self->hog, __ATOMIC_RELAXED), 0))
        weft_core_leave_as_hog(self, carrier);
    else
        atomic_store_explicit(&carrier->processor->owner, (uintptr_t)carrier, memory_order_release);
}

/* Step 2, its first half: where `self` is about to park (`home`, NULL: in a futex queue), and how to end
 * that. */
static inline void weft_park_announce(struct coroutine *self, struct processor *home,
                                      bool (*abandon)(struct coroutine *))
{
    self->abandon = abandon;
    __atomic_store_n(&self->home, home, __ATOMIC_RELEASE);
}

/* The wait that was announced does not begin. (A sender of a signal that has seen it parked looks again.) */
static inline void weft_park_give_up(struct coroutine *self)
{
    weft_hint_set(self->state, WEFT_RUNNING);
    __atomic_store_n(&self->home, NULL, __ATOMIC_RELEASE);
}

/* Steps 3 to 5, after weft_park_announce. In core, on return too. Returns what the waker passed: 0 or -errno.
 */
int weft_park(struct coroutine *self, enum weft_reason reason, void (*after)(void *), void *argument);

/* The same for one whose state was set to WEFT_PARKED before a full barrier that it needed anyway. */
int weft_park_announced(struct coroutine *self, enum weft_reason reason, void (*after)(void *),
                        void *argument);

/* Step 7, by the claimer, which is in core on `here` (NULL: a kernel thread without a processor).
 * `coroutine` runs soon: behind what is queued already. */
void weft_ready(struct processor *here, struct coroutine *coroutine, int result);

/* The same for a hand-over: it runs before what is queued, as soon as the caller stops. */
void weft_ready_next(struct processor *here, struct coroutine *coroutine, int result);

/* The same for one that is to stay: others take it only when the monitor finds it stalled (watch.h). Who
 * waits in a loop cannot be brought along by the one who wakes him, as one in a futex's queue is, and wakes
 * from afar are the kernel's. */
void weft_ready_here(struct processor *here, struct coroutine *coroutine, int result);

/*
 * A signal is due for `target`, whose signal_due is set, a full barrier before this: when it is parked it is
 * readied with -EINTR, by its home if it has one; when it may be running its kernel thread looks. In core on
 * `here`, with no bucket locked.
 */
void weft_interrupt(struct processor *here, struct coroutine *target);

/* Does what others have asked for with weft_processor_post_interrupt. In core. */
void weft_interrupts_serve(struct processor *here);

/* Starts the deadline of a wait whose home is `processor`; WEFT_NEVER starts nothing. In core. 0 or -ENOMEM.
 */
int weft_deadline_start(struct coroutine *self, struct processor *processor, int64_t deadline);

/* Takes down the deadline, if there is one, and with it the home, if `processor` is that. In core, or
 * visiting. */
void weft_deadline_stop(struct coroutine *coroutine, struct processor *processor);

/* Readies those whose deadline on `processor` has come. In core, or visiting. */
void weft_deadlines_fire(struct processor *processor);

/* Lets other ready coroutines run. Returns false when there was none. Not in core. */
bool weft_yield(struct coroutine *self);

/* `self`, in core, lets others run and is the next of its kind. In core, on return too. */
void weft_step_aside(struct coroutine *self);

/* `self`, in core, is bound to another carrier and goes on there. In core, on return too. */
void weft_park_elsewhere(struct coroutine *self, struct carrier *carrier);

/* `self`, in core and not bound, goes on on another processor, unless somebody takes it from there. In core,
 * on return too. */
void weft_migrate(struct coroutine *self, struct processor *target);

/* Ends `self`, in core: switches away for good and calls after(argument) when its stack is no longer used. */
_Noreturn void weft_end(struct coroutine *self, void (*after)(void *), void *argument);

#endif
