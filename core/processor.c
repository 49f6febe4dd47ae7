/* SPDX-License-Identifier: MIT */
/*
 * Run queues, and the ways in which others reach a processor.
 *
 * Fairness: `run_next` keeps two threads that hand work to each other hot, but only streak_most times in a
 * row while others wait; and every WEFT_POLL_CYCLES or so (the clock is read every look_every
 * dispatches) the loop is considered, so that a busy processor still sees readiness and deadlines.
 */
#include "processor.h"

#include "balance.h"
#include "carrier.h"
#include "check.h"
#include "cpu_time.h"
#include "global.h"
#include "loop.h"
#include "monitor.h"
#include "park.h"
#include "priority.h"
#include "signal.h"
#include "spare.h"
#include "watch.h"

enum {
    COLD_QUEUE = 100 /* from that length on, at least two, who is dispatched is not expected in a cache */
};

void weft_processor_append(struct processor *processor, struct coroutine *coroutine)
{
    weft_check(weft_processor_held(processor));
    if (__builtin_expect(coroutine->bound, 0))
        weft_global_append(coroutine);
    else if (__builtin_expect(coroutine->priority, 0))
        weft_priority_append(processor, coroutine);
    else
        weft_queue_append(&processor->queue, coroutine);
}

void weft_processor_prepend(struct processor *processor, struct coroutine *coroutine)
{
    weft_check(weft_processor_held(processor));
    if (coroutine->priority)
        weft_priority_prepend(processor, coroutine);
    else
        weft_queue_prepend(&processor->queue, coroutine);
}

/*
 * In a long queue nobody is in a cache, nor in the TLB: a page table of its own belongs to each stack. So
 * while one runs, what the next one will touch is asked for: what the switch has saved and the frames above
 * it, weft_current, and the object of the one behind it, which will tell where that one's stack is.
 */
static inline void ask_for_next(const struct queue *queue)
{
    enum { LINE = 64, FRAMES = 9 * LINE };
    const struct coroutine *next = queue->head, *behind = next->next;
    __builtin_prefetch(behind);
    __builtin_prefetch(&behind->switches, 1);
    for (int offset = 0; offset < FRAMES; offset += LINE)
        __builtin_prefetch((const char *)next->context.rsp + offset, 1);
    ptrdiff_t current = (char *)&weft_current - (char *)weft_fs_base();
    __builtin_prefetch((const char *)next->context.fs_base + current);
}

struct coroutine *weft_processor_take(struct processor *processor)
{
    weft_check(weft_processor_held(processor));
    struct coroutine *coroutine = weft_queue_take(&processor->queue);
    if (__builtin_expect(processor->queue.length >= COLD_QUEUE, 0))
        ask_for_next(&processor->queue);
    return coroutine;
}

void weft_processor_open_inbox(struct processor *processor)
{
    struct coroutine *newest = atomic_exchange_explicit(&processor->inbox, NULL, memory_order_acquire);
    struct coroutine *oldest = NULL;
    while (newest) {
        struct coroutine *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    while (oldest) {
        struct coroutine *next = oldest->next;
        weft_deadline_stop(oldest, processor);
        weft_processor_append(processor, oldest);
        oldest = next;
    }
}

static inline struct coroutine *take_next(struct processor *processor)
{
    struct coroutine *next = processor->run_next;
    if (next && (processor->run_next_streak < processor->streak_most || !processor->queue.head)) {
        weft_hint_set(processor->run_next, NULL);
        if (__builtin_expect(processor->special & WEFT_TIMED, 0))
            weft_watch_next_taken(processor);
        processor->run_next_streak++;
        return next;
    }
    processor->run_next_streak = 0;
    next = weft_processor_take(processor);
    if (!next)
        weft_hint_add(processor->ticks, -1);
    return next;
}

/* True when those without a priority have waited for too long behind switches of those with one. Where
 * another processor is idle that is not long: natively they would run there. (Where ticks are missing others
 * were picked.) */
static bool others_have_a_turn(struct processor *processor)
{
    uint64_t now = __builtin_ia32_rdtsc();
    if (!processor->run_next && !processor->queue.head)
        return false;
    if (processor->ticks - processor->prioritized_ticks > 1 || processor->prioritized_since == 0)
        processor->prioritized_since = now;
    processor->prioritized_ticks = processor->ticks;
    bool idle = atomic_load_explicit(&weft_idle_processors, memory_order_relaxed) != 0;
    if (now - processor->prioritized_since < (idle ? WEFT_SHARE_CYCLES : WEFT_PRIORITY_CYCLES))
        return false;
    processor->prioritized_since = now;
    return true;
}

static inline bool look_is_due(const struct processor *processor)
{
    return (int32_t)(processor->ticks - processor->look_at) >= 0;
}

/* What is not done at every pick. */
__attribute__((noinline)) static struct coroutine *pick_specially(struct processor *processor)
{
    if (look_is_due(processor)) {
        processor->look_at = processor->ticks + 2 + processor->look_every; /* the next pick does not insist */
        if (weft_processor_poll_due(processor)) {
            weft_hint_add(processor->ticks, -1);
            return NULL;
        }
    }
    struct coroutine *next = NULL;
    if (processor->special & WEFT_PRIORITIZED && !others_have_a_turn(processor))
        next = weft_priority_take(processor);
    if (!next)
        next = take_next(processor);
    if (next && processor->special & WEFT_CLOCKED)
        weft_cpu_time_switch((struct carrier *)(atomic_load(&processor->owner) & ~WEFT_FLAGS), next);
    return next;
}

struct coroutine *weft_processor_pick(struct processor *processor)
{
    if (atomic_load_explicit(&processor->inbox, memory_order_relaxed))
        weft_processor_open_inbox(processor);
    if (__builtin_expect(atomic_load_explicit(&weft_signals_arrived, memory_order_relaxed), 0))
        return NULL; /* the carrier distributes them first */
    weft_hint_add(processor->ticks, 1);
    if (__builtin_expect(look_is_due(processor) | processor->special, 0))
        return pick_specially(processor);
    return take_next(processor);
}

void weft_processor_post(struct processor *processor, struct coroutine *coroutine)
{
    struct coroutine *newest = atomic_load_explicit(&processor->inbox, memory_order_relaxed);
    do
        coroutine->next = newest;
    while (!atomic_compare_exchange_weak(&processor->inbox, &newest, coroutine));
    weft_processor_wake(processor);
}

void weft_processor_post_interrupt(struct processor *processor, struct coroutine *target)
{
    if (atomic_exchange(&target->interrupt_posted, true))
        return; /* it is on its way to this home or to an earlier one, which will look again */
    struct coroutine *newest = atomic_load_explicit(&processor->interrupts, memory_order_relaxed);
    do
        target->interrupt_next = newest;
    while (!atomic_compare_exchange_weak(&processor->interrupts, &newest, target));
    weft_processor_wake(processor);
}

/* Whoever has work for this processor publishes it, then looks at `asleep` behind a full barrier
 * (weft_processor_wake); here it is the other way about. */
bool weft_processor_fall_asleep(struct processor *processor)
{
    atomic_fetch_add(&weft_idle_processors, 1);
    atomic_store(&processor->asleep, WEFT_ASLEEP);
    return !(atomic_load(&processor->inbox) || atomic_load(&processor->interrupts) ||
             atomic_load(&processor->visitors) || atomic_load(&weft_signals_arrived) || !weft_global_empty());
}

void weft_processor_awaken(struct processor *processor)
{
    if (atomic_exchange(&processor->asleep, WEFT_AWAKE) == WEFT_ASLEEP)
        atomic_fetch_sub(&weft_idle_processors, 1);
    weft_monitor_wake();
}

bool weft_processor_wake(struct processor *processor)
{
    /* Behind what the caller has published: see weft_processor_fall_asleep for the other half. */
    atomic_thread_fence(memory_order_seq_cst);
    if (atomic_load_explicit(&processor->asleep, memory_order_relaxed) == WEFT_AWAKE)
        return false;
    switch (atomic_exchange(&processor->asleep, WEFT_AWAKE)) {
    case WEFT_ASLEEP:
        atomic_fetch_sub(&weft_idle_processors, 1);
        weft_loop_wake(processor->loop);
        return true;
    case WEFT_VACANT:
        atomic_fetch_sub(&weft_idle_processors, 1);
        if (weft_carrier_adopt(processor) == 0)
            return true;
        atomic_fetch_add(&weft_idle_processors, 1);
        atomic_store(&processor->asleep, WEFT_VACANT);
        return false;
    default:
        return false;
    }
}

bool weft_processor_has_work(const struct processor *processor)
{
    return weft_processor_busy(processor) ||
           __atomic_load_n(&processor->timers.count, __ATOMIC_RELAXED) > 0 ||
           weft_loop_watching(processor->loop) > 0 || atomic_load(&processor->interrupts) ||
           !weft_global_empty() || atomic_load(&weft_signals_arrived);
}

static void verify_queue(const struct queue *queue)
{
    size_t length = 0;
    const struct coroutine *last = NULL;
    for (const struct coroutine *c = queue->head; c; last = c, c = c->next, length++)
        weft_check(c->state == WEFT_READY);
    weft_check(length == queue->length && last == queue->tail);
}

void weft_processor_verify(const struct processor *processor)
{
    verify_queue(&processor->queue);
    for (unsigned i = 0; i < WEFT_PRIORITIES; i++) {
        verify_queue(&processor->by_priority[i]);
        weft_check(!processor->by_priority[i].head == !(processor->priority_map[i / 64] >> i % 64 & 1));
    }
    weft_check(!(processor->special & WEFT_PRIORITIZED) == (weft_priority_highest(processor) == 0));
    weft_check(!processor->run_next || processor->run_next->state == WEFT_READY);
    weft_check(weft_timers_verify(&processor->timers));
}
