/* SPDX-License-Identifier: MIT */
/*
 * The parking protocol; its steps are numbered in park.h.
 *
 * Contexts: a coroutine's own stack, with its vector registers live (nothing here uses any), except
 * weft_ready, which wakers call from anywhere.
 */
#include "park.h"

#include <errno.h>

#include "carrier.h"
#include "check.h"
#include "loop.h"
#include "raw.h"
#include "trace.h"

static void publish_globally(void *coroutine)
{
    weft_global_append(coroutine);
}

/* Step 1, when the processor was taken while the coroutine was outside of core. */
static __attribute__((noinline)) struct processor *wait_for_processor(struct coroutine *self)
{
    struct carrier *carrier = self->carrier;
    carrier->processor = NULL;
    carrier->running = NULL;
    self->state = WEFT_READY;
    self->reason = WEFT_REASON_PROCESSOR;
    weft_switch_call(&self->context, &carrier->context, publish_globally, self);
    return self->carrier->processor;
}

struct processor *weft_core_enter(struct coroutine *self)
{
    struct carrier *carrier = self->carrier;
    struct processor *processor = carrier->processor;
    uintptr_t outside = (uintptr_t)carrier;
    if (__builtin_expect(atomic_compare_exchange_strong_explicit(&processor->owner, &outside,
                                                                 (uintptr_t)carrier | WEFT_IN,
                                                                 memory_order_acquire, memory_order_relaxed),
                         1))
        return processor;
    weft_check(outside != ((uintptr_t)carrier | WEFT_IN)); /* entered twice */
    return wait_for_processor(self);
}

void weft_core_leave(struct coroutine *self)
{
    struct carrier *carrier = self->carrier;
    atomic_store_explicit(&carrier->processor->owner, (uintptr_t)carrier, memory_order_release);
}

/* Steps 3 to 5 for any reason to switch away; `processor` is owned. */
static inline void switch_away(struct coroutine *self, struct carrier *carrier, struct coroutine *next,
                               void (*after)(void *), void *argument)
{
    if (next) {
        next->carrier = carrier;
        next->state = WEFT_RUNNING;
        next->switches++;
        carrier->running = next;
        weft_switch_call(&self->context, &next->context, after, argument);
    } else {
        carrier->running = NULL;
        weft_switch_call(&self->context, &carrier->context, after, argument);
    }
}

/* A park with a signal due is completed, so that it can be interrupted like any other. */
struct interrupted {
    struct processor *here;
    struct coroutine *coroutine;
    void (*after)(void *);
    void *argument;
};

static void interrupt_after(void *argument)
{
    struct interrupted interrupted = *(struct interrupted *)argument; /* on a stack that `after` may free */
    if (interrupted.after)
        interrupted.after(interrupted.argument);
    weft_interrupt(interrupted.here, interrupted.coroutine);
}

int weft_park(struct coroutine *self, enum weft_reason reason, void (*after)(void *), void *argument)
{
    struct carrier *carrier = self->carrier;
    __atomic_store_n(&self->state, WEFT_PARKED, __ATOMIC_SEQ_CST);
    self->reason = reason;
    weft_trace_park(self);
    if (__builtin_expect(__atomic_load_n(&self->signal_due, __ATOMIC_SEQ_CST), 0)) {
        struct interrupted interrupted = {carrier->processor, self, after, argument};
        switch_away(self, carrier, NULL, interrupt_after, &interrupted);
    } else {
        switch_away(self, carrier, weft_processor_pick(carrier->processor), after, argument);
    }
    self->reason = WEFT_REASON_NONE;
    return self->wake_result;
}

static bool ready_here(struct processor *here, struct coroutine *coroutine, int result)
{
    struct processor *home = coroutine->home;
    weft_check(coroutine->state == WEFT_PARKED);
    coroutine->wake_result = result;
    coroutine->state = WEFT_READY;
    weft_trace_ready(coroutine);
    if (home ? home == here : here != NULL)
        return true;
    if (home)
        weft_processor_post(home, coroutine);
    else
        weft_global_append(coroutine);
    return false;
}

void weft_ready(struct processor *here, struct coroutine *coroutine, int result)
{
    if (ready_here(here, coroutine, result))
        weft_processor_append(here, coroutine);
}

void weft_ready_next(struct processor *here, struct coroutine *coroutine, int result)
{
    if (!ready_here(here, coroutine, result))
        return;
    if (here->run_next)
        weft_processor_append(here, coroutine);
    else
        here->run_next = coroutine;
}

void weft_interrupt(struct processor *here, struct coroutine *target)
{
    if (__atomic_load_n(&target->state, __ATOMIC_SEQ_CST) != WEFT_PARKED || !target->abandon(target))
        return;
    weft_timers_stop(&here->timers, &target->timer); /* else its deadline would find it ready */
    weft_ready(here, target, -EINTR);
}

int weft_deadline_start(struct coroutine *self, struct processor *processor, int64_t deadline)
{
    if (deadline == WEFT_NEVER)
        return 0;
    self->home = processor;
    return weft_timers_start(&processor->timers, &self->timer, deadline);
}

void weft_deadline_stop(struct coroutine *self, struct processor *processor)
{
    if (self->timer.place) {
        weft_check(self->home == processor);
        weft_timers_stop(&processor->timers, &self->timer);
    }
    self->home = NULL;
}

struct requeue {
    struct processor *processor;
    struct coroutine *coroutine;
};

static void append_after(void *argument)
{
    struct requeue *requeue = argument;
    weft_processor_append(requeue->processor, requeue->coroutine);
}

bool weft_yield(struct coroutine *self)
{
    struct processor *processor = weft_core_enter(self);
    struct carrier *carrier = self->carrier;
    struct coroutine *next = weft_processor_pick(processor);
    bool due = !next && weft_processor_poll_due(processor);
    if (next || due) {
        struct requeue requeue = {processor, self};
        self->state = WEFT_READY;
        self->reason = WEFT_REASON_YIELD;
        switch_away(self, carrier, next, append_after, &requeue);
        self->reason = WEFT_REASON_NONE;
    }
    weft_core_leave(self);
    return next || due;
}

void weft_end(struct coroutine *self, void (*after)(void *), void *argument)
{
    struct carrier *carrier = self->carrier;
    self->state = WEFT_DEAD;
    switch_away(self, carrier, weft_processor_pick(carrier->processor), after, argument);
    __builtin_unreachable();
}
