/* SPDX-License-Identifier: MIT */
/* See event_loop.h. */
#include "event_loop.h"

#include "bound.h"
#include "place.h"
#include "trace.h"

enum {
    ENOUGH = 32,        /* waits that parked */
    ENOUGH_MOST = 4096, /* the same after many failures */
    FEW = 4,            /* dispatches of the processor in one of them */
    PER_PROCESSOR = 4,
    CREDIT = 32, /* so many waits for ... */
    COST = 8,    /* ... which it needed no processor are worth one for which it did */
    RETRIED = 8192
};

static atomic_uint out;

static void begin(struct coroutine *self)
{
    self->loop_waits = 0;
    if (atomic_fetch_add(&out, 1) >= PER_PROCESSOR * weft_processor_count) {
        atomic_fetch_sub(&out, 1);
        return;
    }
    self->loop_out = true;
    self->loop_credit = CREDIT;
}

void weft_event_loop_note(struct coroutine *self, const struct processor *here, uint32_t ticks)
{
    if (!self->loop_wanted)
        self->loop_wanted = ENOUGH;
    if (here->ticks - ticks > FEW)
        self->loop_waits = 0;
    else if (++self->loop_waits >= self->loop_wanted && !self->priority && !weft_trace_mask)
        begin(self);
}

void weft_event_loop_end(struct coroutine *self)
{
    if (!self->loop_out)
        return;
    self->loop_out = false;
    self->loop_waits = 0;
    atomic_fetch_sub(&out, 1);
}

bool weft_event_loops_out(void)
{
    return atomic_load_explicit(&out, memory_order_relaxed) != 0;
}

bool weft_event_loop_step_out(struct coroutine *self)
{
    if (self->priority)
        weft_event_loop_end(self);
    if (!self->loop_out)
        return false;
    bool had_one = weft_bound_step_out(self);
    weft_place_release(self->carrier);
    if (++self->loop_waits == RETRIED) {
        self->loop_wanted = ENOUGH;
        weft_event_loop_end(self);
    } else if (!had_one) {
        self->loop_credit += self->loop_credit < CREDIT;
    } else if (self->loop_credit > COST) {
        self->loop_credit -= COST;
    } else {
        self->loop_wanted = self->loop_wanted < ENOUGH_MOST ? self->loop_wanted * 2 : ENOUGH_MOST;
        weft_event_loop_end(self);
    }
    return true;
}

void weft_event_loop_forget(struct coroutine *self)
{
    atomic_store(&out, self->loop_out);
}
