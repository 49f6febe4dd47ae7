/* SPDX-License-Identifier: MIT */
/* See visit.h. Contexts: any kernel thread of ours, any stack. */
#include "visit.h"

#include <time.h>

#include "carrier.h"
#include "check.h"
#include "park.h"
#include "raw.h"

enum { SPINS = 64, YIELDS = 256, LONG = 50000 /* ns */ };

void weft_visit_pause(unsigned round)
{
    const struct timespec time = {0, LONG};
    if (round < SPINS)
        __builtin_ia32_pause();
    else if (round < YIELDS)
        weft_raw0(SYS_sched_yield);
    else
        weft_raw2(SYS_nanosleep, (long)&time, 0);
}

bool weft_visit_try(struct processor *processor)
{
    uintptr_t owner = atomic_load_explicit(&processor->owner, memory_order_relaxed);
    return !(owner & WEFT_FLAGS) &&
           atomic_compare_exchange_strong_explicit(&processor->owner, &owner, owner | WEFT_VISITED,
                                                   memory_order_acquire, memory_order_relaxed);
}

void weft_visit_tried_end(struct processor *processor)
{
    uintptr_t owner = atomic_load_explicit(&processor->owner, memory_order_relaxed);
    weft_check(owner & WEFT_VISITED);
    atomic_store_explicit(&processor->owner, owner & ~WEFT_VISITED, memory_order_release);
}

void weft_visit_begin(struct processor *processor)
{
    atomic_fetch_add(&processor->visitors, 1);
    for (unsigned round = 0; !weft_visit_try(processor); round++) {
        if (atomic_load_explicit(&processor->asleep, memory_order_relaxed) == WEFT_ASLEEP)
            weft_processor_wake(processor);
        weft_visit_pause(round);
    }
}

void weft_visit_end(struct processor *processor)
{
    weft_visit_tried_end(processor);
    atomic_fetch_sub(&processor->visitors, 1);
}

void weft_visit(struct processor *processor, void (*function)(void *), void *argument)
{
    struct coroutine *self = weft_current;
    if (weft_core_enter(self) == processor) {
        function(argument);
        weft_core_leave(self);
        return;
    }
    weft_core_leave(self);
    weft_visit_begin(processor);
    function(argument);
    weft_visit_end(processor);
    if (atomic_load(&processor->lone_waits)) /* its loop has changed: see lone.c, rule 3 */
        weft_processor_wake(processor);
}

bool weft_visit_admit(struct carrier *carrier, struct processor *processor)
{
    if (atomic_load_explicit(&processor->visitors, memory_order_relaxed) == 0)
        return true;
    atomic_store_explicit(&processor->owner, (uintptr_t)carrier, memory_order_release);
    for (unsigned round = 0; atomic_load(&processor->visitors); round++)
        weft_visit_pause(round);
    return weft_carrier_return(carrier, processor);
}
