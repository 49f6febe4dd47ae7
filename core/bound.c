/* SPDX-License-Identifier: MIT */
/*
 * See bound.h.
 *
 * Rules:
 *  1. A coroutine and its carrier are bound to each other for good: `carrier->bound` and `bound_to` change
 *     before the coroutine is published for the first time, or by itself while it runs.
 *  2. It is ready once at a time, so at most one processor is `offered`. The offer may come before its
 *     carrier has handed on the processor on which it parked.
 */
#include "bound.h"

#include "carrier.h"
#include "event_loop.h"
#include "hint.h"
#include "hog.h"
#include "monitor.h"
#include "park.h"
#include "place.h"
#include "raw.h"
#include "spare.h"
#include "trace.h"
#include "visit.h"

static atomic_bool ever;

bool weft_bound_ever(void)
{
    return atomic_load_explicit(&ever, memory_order_relaxed);
}

/* There is no other kernel thread, and others will be as this one is. */
static bool is_alone(void)
{
    return weft_carrier_count() == 1 && !weft_monitor_runs();
}

void weft_bound_begin(struct coroutine *self, enum weft_bound kind)
{
    struct carrier *carrier = self->carrier;
    if (kind <= self->bound || is_alone())
        return;
    if (!self->bound) {
        atomic_store(&ever, true);
        weft_hog_return(self);
        weft_event_loop_end(self); /* it is out in any case, and takes nobody's place there */
        weft_hint_set(self->hog, 1);
        carrier->bound_to = self;
        weft_place_release(carrier);
    }
    weft_hint_set(carrier->bound, kind);
    weft_hint_set(self->bound, kind);
    if (weft_trace_mask & WEFT_TRACE_THREAD) {
        struct weft_line line = {0};
        weft_trace_begin(&line, self);
        weft_line_text(&line, "bound to its kernel thread");
        weft_trace_end(&line);
    }
}

void weft_bound_leave_shared(struct coroutine *self)
{
    bool is_main = self->tid == (int)weft_raw0(SYS_getpid);
    if (self->bound || is_alone() ||
        (weft_carrier_is_first(self->carrier) ? is_main : !weft_carrier_has_children()))
        return;
    struct carrier *carrier = weft_carrier_create();
    if (!carrier)
        return; /* then it has to be that one */
    carrier->bound_to = self;
    weft_hint_set(carrier->bound, WEFT_BOUND_ALONE);
    if (weft_monitor_make(carrier) != 0) {
        weft_carrier_give(carrier);
        return;
    }
    atomic_store(&ever, true);
    weft_hog_return(self);
    weft_event_loop_end(self);
    weft_core_enter(self);
    weft_park_elsewhere(self, carrier);
    weft_core_leave(self);
}

void weft_bound_release(struct coroutine *self)
{
    weft_hint_set(self->hog, 0);
    weft_hint_set(self->bound, WEFT_UNBOUND);
    weft_hint_set(self->carrier->bound, WEFT_UNBOUND);
}

bool weft_bound_step_out(struct coroutine *self)
{
    struct processor *processor = weft_core_enter_at_once(self);
    if (processor)
        weft_carrier_hand_on(self->carrier, processor);
    return processor;
}

void weft_bound_end(struct coroutine *self)
{
    if (self->bound)
        self->carrier->bound_ended = true;
}

struct carrier *weft_bound_carrier(void)
{
    struct carrier *carrier = weft_carrier_create();
    if (!carrier)
        return NULL;
    weft_hint_set(carrier->bound, WEFT_BOUND_HEIRS);
    if (weft_carrier_employ(carrier) == 0)
        return carrier;
    weft_hint_set(carrier->bound, WEFT_UNBOUND);
    weft_carrier_give(carrier);
    return NULL;
}

void weft_bound_give(struct coroutine *child, struct carrier *carrier)
{
    carrier->bound_to = child;
    weft_hint_set(child->carrier, carrier);
    weft_hint_set(child->hog, 1);
    weft_hint_set(child->bound, WEFT_BOUND_HEIRS);
}

void weft_bound_dismiss(struct carrier *carrier)
{
    carrier->bound_ended = true;
    weft_carrier_wake(carrier);
}

void weft_bound_lend(struct carrier *carrier, struct processor *processor, struct coroutine *bound)
{
    struct carrier *target = bound->carrier;
    carrier->processor = NULL;
    atomic_store(&processor->owner, (uintptr_t)target | WEFT_IN);
    target->offered = processor;
    weft_carrier_wake(target);
}

void weft_bound_await(struct carrier *carrier)
{
    struct processor *processor = carrier->processor;
    carrier->processor = NULL;
    for (unsigned round = 0; processor && !weft_carrier_hand_on(carrier, processor); round++)
        weft_visit_pause(round); /* no memory for another one: nobody else may run on this one */
    if (!carrier->bound_ended)
        weft_carrier_wait(carrier);
    if (carrier->bound_ended)
        weft_carrier_end(carrier);
    carrier->processor = carrier->offered;
}

void weft_bound_forget(struct coroutine *self)
{
    if (self->bound)
        weft_bound_release(self);
    atomic_store(&ever, false);
}
