/* SPDX-License-Identifier: MIT */
/* See balance.h. */
#include "balance.h"

#include "carrier.h"
#include "hint.h"
#include "loop.h"
#include "parallelism.h"
#include "park.h"
#include "priority.h"
#include "visit.h"
#include "watch.h"

enum { NAPS = 20, NAP = 50000 /* ns */, WAITING = 20000, CALLED_NAPS = 2 };

atomic_uint weft_idle_processors;

/* Set while a processor that was called has not yet looked around: one at a time is enough, for who finds
 * work calls the next. */
static atomic_bool looking;

static bool wake_one_below(unsigned end)
{
    for (unsigned i = 0; i < end; i++)
        if (weft_processor_wake(&weft_processors[i]))
            return true;
    return false;
}

bool weft_balance_wake_one(void)
{
    return atomic_load(&weft_idle_processors) > 0 && wake_one_below(weft_processor_count);
}

static void call_below(unsigned end)
{
    if (atomic_load_explicit(&looking, memory_order_relaxed) || atomic_exchange(&looking, true))
        return;
    if (!wake_one_below(end))
        atomic_store(&looking, false);
}

void weft_balance_call_helper(void)
{
    call_below(atomic_load_explicit(&weft_parallelism, memory_order_relaxed));
}

void weft_balance_call_rescuer(void)
{
    call_below(weft_processor_count);
}

static bool has_to_share(const struct processor *processor)
{
    size_t length = __atomic_load_n(&processor->queue.length, __ATOMIC_RELAXED);
    return length * __atomic_load_n(&processor->dispatch_cycles, __ATOMIC_RELAXED) > WEFT_SHARE_CYCLES ||
           (length && __atomic_load_n(&processor->backlogged, __ATOMIC_RELAXED));
}

void weft_balance_end_backlog(struct processor *here)
{
    here->backlog_since = 0;
    weft_hint_set(here->backlogged, false);
}

void weft_balance_note_backlog(struct processor *here, uint64_t now, uint32_t dispatches)
{
    uint32_t yields = here->yields - here->yields_noted;
    here->yields_noted = here->yields;
    if (!here->queue.head || yields > dispatches / 2)
        here->backlog_since = 0;
    else if (!here->backlog_since)
        here->backlog_since = now;
    weft_hint_set(here->backlogged, here->backlog_since && now - here->backlog_since >= WEFT_BACKLOG_CYCLES);
}

void weft_balance_share_slowly(struct processor *here)
{
    if (atomic_load_explicit(&weft_parallelism, memory_order_relaxed) > 1 && has_to_share(here))
        weft_balance_call_helper();
}

void weft_balance_created(struct processor *here)
{
    if (atomic_load_explicit(&weft_idle_processors, memory_order_relaxed) == 0)
        return;
    uint64_t now = __builtin_ia32_rdtsc();
    if (now - here->called_at < WEFT_CALL_CYCLES)
        return;
    here->called_at = now;
    weft_balance_call_helper();
}

bool weft_balance_stalled(struct processor *processor)
{
    uint32_t ticks = __atomic_load_n(&processor->ticks, __ATOMIC_RELAXED);
    uint64_t now = __builtin_ia32_rdtsc();
    if (atomic_load_explicit(&processor->asleep, memory_order_relaxed) != WEFT_AWAKE ||
        !weft_processor_has_work(processor) ||
        ticks != atomic_load_explicit(&processor->seen_ticks, memory_order_relaxed)) {
        atomic_store_explicit(&processor->seen_ticks, ticks, memory_order_relaxed);
        atomic_store_explicit(&processor->seen_at, now, memory_order_relaxed);
        return false;
    }
    return now - atomic_load_explicit(&processor->seen_at, memory_order_relaxed) >= WEFT_SHARE_CYCLES;
}

static void move_oldest(struct processor *from, struct processor *to, size_t count)
{
    while (count-- > 0) {
        struct coroutine *coroutine = weft_processor_take(from);
        weft_processor_append(to, coroutine);
    }
}

/* `victim` is visited. Returns true when something was there. */
static bool take_from(struct processor *victim, struct processor *here, bool stalled)
{
    if (stalled) {
        here->rescued = victim;
        here->rescued_ticks = victim->ticks;
        weft_loop_poll(victim->loop, 0);
        weft_deadlines_fire(victim);
        weft_processor_open_inbox(victim);
        if (victim->run_next) {
            weft_processor_append(here, victim->run_next);
            weft_hint_set(victim->run_next, NULL);
            weft_watch_rescued(victim);
        }
        move_oldest(victim, here, victim->queue.length);
        for (struct coroutine *prior; (prior = weft_priority_take(victim));)
            weft_priority_append(here, prior);
    } else {
        move_oldest(victim, here, (victim->queue.length + 1) / 2);
        weft_balance_end_backlog(victim);
    }
    return here->queue.head || here->special & WEFT_PRIORITIZED;
}

/* `*pending` becomes true when somebody has work that is not, or not yet, to be taken. */
static bool look_around(struct processor *here, bool *pending)
{
    for (unsigned i = 1; i < weft_processor_count; i++) {
        struct processor *victim = &weft_processors[(here->index + i) % weft_processor_count];
        bool stalled = weft_balance_stalled(victim);
        *pending |= weft_processor_busy(victim);
        if (!(stalled || (!weft_stands_by(here) && has_to_share(victim))) || !weft_visit_try(victim))
            continue;
        bool found = take_from(victim, here, stalled);
        weft_visit_tried_end(victim);
        if (found)
            return true;
    }
    return false;
}

bool weft_balance_steal(struct processor *here)
{
    if (weft_processor_count == 1)
        return false;
    bool pending = false, found = look_around(here, &pending);
    here->nap = pending ? WAITING : NAP;
    if (atomic_load_explicit(&looking, memory_order_relaxed)) {
        atomic_store(&looking, false);
        weft_watch_called(here);
        /* Called for what has not stalled yet: that is seen at the second look. */
        if (pending && here->naps == 0)
            here->naps = CALLED_NAPS;
    }
    if (found) {
        here->naps = weft_stands_by(here) ? 0 : NAPS;
        weft_hint_set(here->dispatch_cycles, 0); /* not known for what came */
    }
    return found;
}

void weft_balance_pass_on(struct processor *here)
{
    unsigned active = atomic_load_explicit(&weft_parallelism, memory_order_relaxed);
    struct processor *target = &weft_processors[here->index % active];
    if (here->rescued && __atomic_load_n(&here->rescued->ticks, __ATOMIC_RELAXED) == here->rescued_ticks)
        return; /* it stalls still */
    here->rescued = NULL;
    struct coroutine *coroutine = here->run_next;
    weft_processor_open_inbox(here);
    if (coroutine) {
        weft_hint_set(here->run_next, NULL);
        weft_processor_post(target, coroutine);
    }
    while ((coroutine = weft_priority_take(here)) || (coroutine = weft_processor_take(here)))
        weft_processor_post(target, coroutine);
}

bool weft_balance_nap(struct processor *here, int64_t *timeout)
{
    if (here->naps == 0)
        return false;
    here->naps--;
    if (*timeout > here->nap)
        *timeout = here->nap;
    return true;
}
