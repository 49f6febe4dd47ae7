/* SPDX-License-Identifier: MIT */
/* See priority.h. Contexts: in core on a processor, or visiting it. */
#include "priority.h"

#include "carrier.h"
#include "check.h"
#include "global.h"
#include "loop.h"
#include "monitor.h"
#include "park.h"
#include "signal.h"

static void filled(struct processor *processor, unsigned priority)
{
    processor->priority_map[priority / 64] |= UINT64_C(1) << priority % 64;
    weft_hint_set(processor->special, processor->special | WEFT_PRIORITIZED);
}

static void emptied(struct processor *processor, unsigned priority)
{
    processor->priority_map[priority / 64] &= ~(UINT64_C(1) << priority % 64);
    if (weft_priority_highest(processor) == 0)
        weft_hint_set(processor->special, (uint8_t)(processor->special & ~WEFT_PRIORITIZED));
}

void weft_priority_append(struct processor *processor, struct coroutine *coroutine)
{
    weft_check(weft_processor_held(processor));
    weft_queue_append(&processor->by_priority[coroutine->priority], coroutine);
    filled(processor, coroutine->priority);
}

void weft_priority_prepend(struct processor *processor, struct coroutine *coroutine)
{
    weft_check(weft_processor_held(processor));
    weft_queue_prepend(&processor->by_priority[coroutine->priority], coroutine);
    filled(processor, coroutine->priority);
}

struct coroutine *weft_priority_take(struct processor *processor)
{
    unsigned priority = weft_priority_highest(processor);
    struct queue *queue = &processor->by_priority[priority];
    weft_check(weft_processor_held(processor));
    struct coroutine *coroutine = weft_queue_take(queue);
    if (coroutine && !queue->head)
        emptied(processor, priority);
    return coroutine;
}

void weft_priority_give_way_to(struct coroutine *self)
{
    if (weft_priority_highest(self->carrier->processor) > self->priority)
        weft_step_aside(self);
}

/* Takes a coroutine that is queued on the processor out of its queue. Returns false when it is not. */
static bool unqueue(struct processor *processor, struct coroutine *target)
{
    unsigned priority = target->priority;
    struct queue *queue = priority ? &processor->by_priority[priority] : &processor->queue;
    if (processor->run_next == target) {
        processor->run_next = NULL;
        return true;
    }
    if (!weft_queue_remove(queue, target))
        return false;
    if (priority && !queue->head)
        emptied(processor, priority);
    return true;
}

void weft_priority_change(struct coroutine *self, struct coroutine *target, unsigned priority,
                          bool round_robin)
{
    struct processor *processor = weft_core_enter(self);
    bool queued = target != self && unqueue(processor, target);
    bool lowered = priority && priority < target->priority;
    weft_hint_set(target->priority, (uint8_t)priority);
    weft_hint_set(target->round_robin, round_robin);
    if (queued && lowered) /* before its equals, as Linux does it */
        weft_processor_prepend(processor, target);
    else if (queued)
        weft_processor_append(processor, target);
    weft_priority_give_way(self, processor);
    weft_core_leave(self);
}

int64_t weft_priority_slice(const struct processor *processor, const struct coroutine *running)
{
    unsigned own = running ? __atomic_load_n(&running->priority, __ATOMIC_RELAXED) : 0,
             highest = weft_priority_highest(processor);
    if (own == 0 || highest > own || weft_loop_watching(processor->loop) > 0 ||
        __atomic_load_n(&processor->timers.count, __ATOMIC_RELAXED) > 0 || atomic_load(&processor->inbox) ||
        atomic_load(&processor->interrupts) || atomic_load(&weft_signals_arrived) || !weft_global_empty())
        return WEFT_SLICE;
    return __atomic_load_n(&running->round_robin, __ATOMIC_RELAXED) && highest == own ? WEFT_ROUND_SLICE
                                                                                      : WEFT_PRIORITY_SLICE;
}
