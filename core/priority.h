/* SPDX-License-Identifier: MIT */
/*
 * Priorities: coroutines with a real-time policy (SCHED_FIFO, SCHED_RR) that are ready, in a queue for each
 * priority of a processor. They are taken before all others, the highest first, and in their order within
 * one.
 *
 * The others pay nothing for it: a processor that has such a one ready is `special`, which
 * weft_processor_pick tests in passing. For how long others may be kept
 * waiting is what the kernel says: almost a second, and a tenth for equals of SCHED_RR; but only where they
 * would natively wait, too: no processor is idle, and no descriptor or deadline, which might be for one of
 * higher priority, needs to be looked at.
 */
#ifndef WEFT_CORE_PRIORITY_H
#define WEFT_CORE_PRIORITY_H

#include "processor.h"

#define WEFT_PRIORITY_CYCLES UINT64_C(2500000000) /* about a second: of picks in a row, while others wait */
#define WEFT_PRIORITY_SLICE  INT64_C(950000000)   /* ns: of one run, for those of lower priority */
#define WEFT_ROUND_SLICE     INT64_C(100000000)   /* ns: of one run with SCHED_RR, for equals */

/* In core, or as a visitor; the coroutine has a priority above 0. Behind those of its priority, or before
 * them. */
void weft_priority_append(struct processor *processor, struct coroutine *coroutine);
void weft_priority_prepend(struct processor *processor, struct coroutine *coroutine);

/* Takes the first of the highest priority, or NULL. In core, or as a visitor. */
struct coroutine *weft_priority_take(struct processor *processor);

/* The highest priority that is ready; 0: there is none. In core. */
static inline unsigned weft_priority_highest(const struct processor *processor)
{
    const uint64_t *map = processor->priority_map;
    if (map[1])
        return 127 - (unsigned)__builtin_clzll(map[1]);
    return map[0] ? 63 - (unsigned)__builtin_clzll(map[0]) : 0;
}

/* In core: `self` has made others ready. It lets those of higher priority run at once. In core, on return
 * too. */
void weft_priority_give_way_to(struct coroutine *self);
static inline void weft_priority_give_way(struct coroutine *self, struct processor *processor)
{
    if (__builtin_expect(processor->special & WEFT_PRIORITIZED, 0))
        weft_priority_give_way_to(self);
}

/* `target`, perhaps `self`, has another priority from now on; `round_robin`: SCHED_RR. Not in core; may park
 * (ready). */
void weft_priority_change(struct coroutine *self, struct coroutine *target, unsigned priority,
                          bool round_robin);

/* For how long (ns) `running` may keep what waits on its processor waiting. By the monitor: a hint. */
int64_t weft_priority_slice(const struct processor *processor, const struct coroutine *running);

#endif
