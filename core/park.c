/* SPDX-License-Identifier: MIT */
/*
 * The parking protocol; its steps are numbered in park.h.
 *
 * Contexts: a coroutine's own stack, with its vector registers live (nothing here uses any), except
 * weft_ready, which wakers call from anywhere.
 */
#include "park.h"

#include <errno.h>

#include "balance.h"
#include "bound.h"
#include "carrier.h"
#include "check.h"
#include "cpu_time.h"
#include "event_loop.h"
#include "futex.h"
#include "global.h"
#include "hint.h"
#include "hog.h"
#include "monitor.h"
#include "place.h"
#include "priority.h"
#include "raw.h"
#include "signal.h"
#include "spare.h"
#include "trace.h"
#include "visit.h"
#include "watch.h"

enum {
    HOG_CYCLES = 500000, /* some 200 us: a run shorter than that is no hog's ... */
    SHORT_RUNS = 4       /* ... and so many in a row end its being one */
};

static void publish_globally(void *coroutine)
{
    weft_global_append(coroutine);
}

/* Step 1, when the processor was taken while the coroutine was outside of core. */
static struct processor *wait_for_processor(struct coroutine *self, struct carrier *carrier)
{
    if (__atomic_load_n(&self->hog, __ATOMIC_RELAXED) && !self->bound) {
        bool was_short = __builtin_ia32_rdtsc() - self->left_at < HOG_CYCLES;
        self->short_runs = was_short ? self->short_runs + 1 : 0;
        if (self->short_runs == SHORT_RUNS) {
            weft_hint_set(self->hog, 0);
            self->short_runs = 0;
        }
        weft_hog_return(self);
    }
    carrier->processor = NULL;
    __atomic_store_n(&carrier->running, NULL, __ATOMIC_SEQ_CST);
    weft_cpu_time_stop(carrier);
    weft_hint_set(self->state, WEFT_READY);
    self->reason = WEFT_REASON_PROCESSOR;
    weft_switch_call(&self->context, &carrier->context, publish_globally, self);
    self->reason = WEFT_REASON_NONE;
    return self->carrier->processor;
}

struct processor *weft_core_enter_slowly(struct coroutine *self, struct carrier *carrier)
{
    struct processor *processor = carrier->processor;
    uintptr_t outside = (uintptr_t)carrier;
    for (unsigned round = 0;; round++) {
        uintptr_t owner = outside;
        if (atomic_compare_exchange_strong(&processor->owner, &owner, outside | WEFT_IN))
            return processor;
        weft_check(owner != (outside | WEFT_IN)); /* entered twice */
        if (owner != (outside | WEFT_VISITED))
            return wait_for_processor(self, carrier);
        weft_visit_pause(round);
    }
}

bool weft_carrier_return(struct carrier *carrier, struct processor *processor)
{
    uintptr_t outside = (uintptr_t)carrier;
    for (unsigned round = 0;; round++) {
        uintptr_t owner = outside;
        if (atomic_compare_exchange_strong(&processor->owner, &owner, outside | WEFT_IN))
            return true;
        if (owner != (outside | WEFT_VISITED)) {
            carrier->processor = NULL;
            return false;
        }
        weft_visit_pause(round);
    }
}

/* Step 3. A bound coroutine's carrier runs nobody else. */
static inline struct coroutine *pick_after(const struct coroutine *self)
{
    return __builtin_expect(self->bound, 0) ? NULL : weft_processor_pick(self->carrier->processor);
}

/* Steps 4 and 5 for any reason to switch away. */
static inline void switch_away(struct coroutine *self, struct carrier *carrier, struct coroutine *next,
                               void (*after)(void *), void *argument)
{
    if (next) {
        weft_coroutine_dispatched(next, carrier);
        weft_switch_call(&self->context, &next->context, after, argument);
    } else {
        weft_hint_set(carrier->running, NULL);
        weft_cpu_time_stop(carrier);
        weft_switch_call(&self->context, &carrier->context, after, argument);
    }
}

/* `self`, in core and ready, goes on where `after` sends it. */
static void go_on_elsewhere(struct coroutine *self, void (*after)(void *), void *argument)
{
    weft_hint_set(self->state, WEFT_READY);
    self->reason = WEFT_REASON_PROCESSOR;
    switch_away(self, self->carrier, weft_processor_pick(self->carrier->processor), after, argument);
    self->reason = WEFT_REASON_NONE;
}

/* A hog will not be back soon: others go on without it. So they do without one that is bound. */
void weft_core_leave_as_hog(struct coroutine *self, struct carrier *carrier)
{
    if (!weft_processor_has_work(carrier->processor)) {
        self->left_at = __builtin_ia32_rdtsc();
        atomic_store_explicit(&carrier->processor->owner, (uintptr_t)carrier, memory_order_release);
        return;
    }
    if (!self->bound && !weft_hog_admit(self)) {
        go_on_elsewhere(self, weft_hog_wait, self);
        carrier = self->carrier;
    }
    struct carrier *spare = self->bound ? NULL : weft_spare_take_for(self);
    if (spare)
        go_on_elsewhere(self, weft_carrier_wake, spare); /* outside of core on return */
    self->left_at = __builtin_ia32_rdtsc();
    if (spare)
        return;
    if (weft_carrier_hand_on(carrier, carrier->processor))
        weft_place_release(carrier);
    else
        weft_hog_return(self);
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
    __atomic_store_n(&self->state, WEFT_PARKED, __ATOMIC_SEQ_CST);
    return weft_park_announced(self, reason, after, argument);
}

int weft_park_announced(struct coroutine *self, enum weft_reason reason, void (*after)(void *),
                        void *argument)
{
    struct carrier *carrier = self->carrier;
    self->reason = reason;
    weft_trace_park(self);
    if (__builtin_expect(__atomic_load_n(&self->signal_due, __ATOMIC_SEQ_CST), 0)) {
        struct interrupted interrupted = {carrier->processor, self, after, argument};
        switch_away(self, carrier, NULL, interrupt_after, &interrupted);
    } else {
        switch_away(self, carrier, pick_after(self), after, argument);
    }
    self->reason = WEFT_REASON_NONE;
    return self->wake_result;
}

static bool ready_here(struct processor *here, struct coroutine *coroutine, int result)
{
    struct processor *home = coroutine->home;
    weft_check(coroutine->state == WEFT_PARKED);
    coroutine->wake_result = result;
    __atomic_store_n(&coroutine->state, WEFT_READY, __ATOMIC_RELEASE);
    weft_trace_ready(coroutine);
    if (home == here && home) {
        weft_deadline_stop(coroutine, here);
        return true;
    }
    if (home)
        weft_processor_post(home, coroutine);
    else if (!here)
        weft_global_append(coroutine);
    return !home && here;
}

void weft_ready(struct processor *here, struct coroutine *coroutine, int result)
{
    if (ready_here(here, coroutine, result)) {
        weft_processor_append(here, coroutine);
        weft_balance_share(here);
    }
    weft_monitor_wake();
}

static inline void ready_next(struct processor *here, struct coroutine *coroutine, int result, bool timed)
{
    if (!ready_here(here, coroutine, result)) {
        /* its home's, or everybody's */
    } else if (here->run_next || coroutine->priority || coroutine->bound) {
        weft_processor_append(here, coroutine);
        weft_balance_share(here);
    } else {
        weft_hint_set(here->run_next, coroutine);
        if (timed && __builtin_expect(here->special & WEFT_TIMED, 0))
            weft_watch_next_set(here);
    }
    weft_monitor_wake();
}

void weft_ready_next(struct processor *here, struct coroutine *coroutine, int result)
{
    ready_next(here, coroutine, result, true);
}

void weft_ready_here(struct processor *here, struct coroutine *coroutine, int result)
{
    ready_next(here, coroutine, result, false);
}

int weft_deadline_start(struct coroutine *self, struct processor *processor, int64_t deadline)
{
    if (deadline == WEFT_NEVER)
        return 0;
    weft_check(self->home == processor && weft_processor_held(processor));
    return weft_timers_start(&processor->timers, &self->timer, deadline);
}

void weft_deadline_stop(struct coroutine *coroutine, struct processor *processor)
{
    if (coroutine->home != processor)
        return;
    weft_check(weft_processor_held(processor));
    weft_timers_stop(&processor->timers, &coroutine->timer);
    __atomic_store_n(&coroutine->home, NULL, __ATOMIC_RELEASE);
}

void weft_deadlines_fire(struct processor *processor)
{
    if (processor->timers.count == 0)
        return;
    struct weft_timer *timer;
    int64_t now = weft_now();
    while ((timer = weft_timers_take_due(&processor->timers, now))) {
        struct coroutine *coroutine = weft_container(timer, struct coroutine, timer);
        if (coroutine->abandon(coroutine))
            weft_ready(processor, coroutine, -ETIMEDOUT);
    }
}

struct requeue {
    struct processor *processor;
    struct coroutine *coroutine;
};

/* Of a coroutine without a priority. */
static void append_after(void *argument)
{
    struct requeue *requeue = argument;
    weft_check(weft_processor_held(requeue->processor));
    weft_queue_append(&requeue->processor->queue, requeue->coroutine);
}

static void append_by_priority_after(void *argument)
{
    struct requeue *requeue = argument;
    weft_processor_append(requeue->processor, requeue->coroutine);
}

static void prepend_after(void *argument)
{
    struct requeue *requeue = argument;
    weft_processor_prepend(requeue->processor, requeue->coroutine);
}

/* `self` remains ready; `after` queues it. */
static inline void step_aside(struct coroutine *self, struct processor *processor, struct coroutine *next,
                              void (*after)(void *))
{
    struct requeue requeue = {processor, self};
    weft_hint_add(processor->yields, 1);
    weft_hint_set(self->state, WEFT_READY);
    self->reason = WEFT_REASON_YIELD;
    switch_away(self, self->carrier, next, after, &requeue);
    self->reason = WEFT_REASON_NONE;
}

void weft_step_aside(struct coroutine *self)
{
    struct processor *processor = self->carrier->processor;
    if (self->bound)
        return; /* they go on without it as soon as it leaves */
    step_aside(self, processor, weft_processor_pick(processor), prepend_after);
}

/* Only equals, and higher ones that came by a deadline, are let run. In core. */
__attribute__((noinline)) static bool yield_by_priority(struct coroutine *self, struct processor *processor)
{
    struct coroutine *next = NULL;
    if (weft_priority_highest(processor) >= self->priority)
        next = weft_processor_pick(processor);
    bool due = !next && weft_processor_poll_due(processor);
    if (next || due)
        step_aside(self, processor, next, append_by_priority_after);
    weft_core_leave(self);
    return next || due;
}

/* What is ready on its processor goes on without it. */
static bool yield_bound(struct coroutine *self, struct processor *processor)
{
    bool due = weft_processor_busy(processor) || weft_processor_poll_due(processor);
    if (due) {
        weft_hint_add(processor->yields, 1);
        weft_hint_set(self->state, WEFT_READY);
        self->reason = WEFT_REASON_YIELD;
        switch_away(self, self->carrier, NULL, publish_globally, self);
        self->reason = WEFT_REASON_NONE;
    }
    weft_core_leave(self);
    return due;
}

bool weft_yield(struct coroutine *self)
{
    struct processor *processor = weft_core_enter(self);
    if (__builtin_expect(self->bound, 0))
        return yield_bound(self, processor);
    if (__builtin_expect(self->priority, 0))
        return yield_by_priority(self, processor);
    struct coroutine *next = weft_processor_pick(processor);
    bool due = !next && weft_processor_poll_due(processor);
    if (next || due)
        step_aside(self, processor, next, append_after);
    weft_core_leave(self);
    return next || due;
}

struct move {
    struct coroutine *coroutine;
    struct carrier *carrier;
};

/* Behind the switch: a kick that comes before is for the carrier that runs it still. */
static void move_after(void *argument)
{
    struct coroutine *coroutine = ((struct move *)argument)->coroutine;
    struct carrier *carrier = ((struct move *)argument)->carrier;
    weft_hint_set(coroutine->bound, carrier->bound);
    weft_hint_set(coroutine->hog, 1);
    weft_hint_set(coroutine->carrier, carrier);
    weft_global_append(coroutine);
}

void weft_park_elsewhere(struct coroutine *self, struct carrier *carrier)
{
    go_on_elsewhere(self, move_after, &(struct move){self, carrier});
}

struct migration {
    struct coroutine *coroutine;
    struct processor *target;
};

static void post_after(void *argument)
{
    struct migration migration = *(struct migration *)argument;
    weft_processor_post(migration.target, migration.coroutine);
}

void weft_migrate(struct coroutine *self, struct processor *target)
{
    go_on_elsewhere(self, post_after, &(struct migration){self, target});
}

void weft_end(struct coroutine *self, void (*after)(void *), void *argument)
{
    weft_bound_end(self);
    weft_event_loop_end(self);
    weft_hint_set(self->state, WEFT_DEAD);
    switch_away(self, self->carrier, pick_after(self), after, argument);
    __builtin_unreachable();
}
