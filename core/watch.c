/* SPDX-License-Identifier: MIT */
/* See watch.h. */
#include "watch.h"

#include "balance.h"
#include "carrier.h"
#include "global.h"
#include "hint.h"
#include "parallelism.h"
#include "raw.h"
#include "signal.h"
#include "visit.h"

/* Time-stamp counter: 2 to 4 in a ns. */
enum {
    TIMED_CYCLES = 8000,
    OVERLAP_CYCLES = 8000, /* a wait from which on another processor is worth it */
    WAIT_CYCLES = 4000,    /* who has waited so long probably will for as long again */
    WATCH_CYCLES = 200000,
    FORGET_CYCLES = 10000000,
    MEMORY = 4 /* the last wait counts one part in so many */
};

void weft_watch_consider(struct processor *here, uint64_t now)
{
    if (here->overlaps && (int64_t)(now - here->next_set_at) > FORGET_CYCLES)
        weft_hint_set(here->overlaps, false);
    if (weft_processor_count > 1 && (here->dispatch_cycles >= TIMED_CYCLES || here->overlaps))
        weft_hint_set(here->special, here->special | WEFT_TIMED);
    else
        weft_hint_set(here->special, (uint8_t)(here->special & ~WEFT_TIMED));
}

/* Whoever runs here, or did when it was last known. */
static bool runs_hog(const struct processor *here)
{
    struct carrier *carrier = (struct carrier *)(atomic_load(&here->owner) & ~WEFT_FLAGS);
    struct coroutine *running = carrier ? __atomic_load_n(&carrier->running, __ATOMIC_RELAXED) : NULL;
    return running && __atomic_load_n(&running->hog, __ATOMIC_RELAXED);
}

void weft_watch_next_set(struct processor *here)
{
    uint64_t now = __builtin_ia32_rdtsc();
    here->next_since = here->next_set_at = now;
    if (!here->overlaps || runs_hog(here) || now - here->watch_called_at < WEFT_CALL_CYCLES ||
        atomic_load_explicit(&weft_idle_processors, memory_order_relaxed) == 0)
        return;
    here->watch_called_at = now;
    weft_balance_call_helper();
}

void weft_watch_next_taken(struct processor *here)
{
    if (!here->next_since)
        return;
    uint64_t wait = __builtin_ia32_rdtsc() - here->next_since;
    here->next_since = 0;
    here->next_wait += (int64_t)(wait - here->next_wait) / MEMORY;
    weft_hint_set(here->overlaps, here->next_wait >= OVERLAP_CYCLES);
}

void weft_watch_rescued(struct processor *victim)
{
    weft_hint_set(victim->special, victim->special | WEFT_TIMED);
    victim->next_since = 0;
    victim->next_set_at = __builtin_ia32_rdtsc();
    victim->next_wait = WEFT_SHARE_CYCLES;
    victim->watch_called_at = 0;
    weft_hint_set(victim->overlaps, true);
}

void weft_watch_called(struct processor *here)
{
    here->watched_at = __builtin_ia32_rdtsc();
}

/* `victim` is visited. */
static bool take_next(struct processor *victim, struct processor *here)
{
    struct coroutine *next = victim->run_next;
    if (!next)
        return false;
    weft_hint_set(victim->run_next, NULL);
    victim->next_since = 0;
    victim->watch_called_at = 0; /* it was of use */
    weft_processor_append(here, next);
    return true;
}

/* What one dispatch lets wait. */
struct sight {
    struct processor *victim;
    uint32_t ticks;
    uint64_t since;
};

/* Returns false when there is nobody to watch. */
static bool look(struct processor *here, struct sight *sight, uint64_t now, bool *found)
{
    bool any = false;
    for (unsigned i = 1; i < weft_processor_count && !*found; i++) {
        struct processor *victim = &weft_processors[(here->index + i) % weft_processor_count];
        if (!__atomic_load_n(&victim->overlaps, __ATOMIC_RELAXED))
            continue;
        any = true;
        if (!__atomic_load_n(&victim->run_next, __ATOMIC_RELAXED))
            continue;
        uint32_t ticks = __atomic_load_n(&victim->ticks, __ATOMIC_RELAXED);
        if (sight->victim != victim || sight->ticks != ticks) {
            *sight = (struct sight){victim, ticks, now};
        } else if (now - sight->since >= WAIT_CYCLES && weft_visit_try(victim)) {
            *found = take_next(victim, here);
            weft_visit_tried_end(victim);
        }
    }
    return any;
}

static bool wanted(const struct processor *here)
{
    return atomic_load(&here->inbox) || atomic_load(&here->interrupts) || atomic_load(&here->visitors) ||
           atomic_load(&weft_signals_arrived) || !weft_global_empty();
}

bool weft_watch(struct processor *here)
{
    struct sight sight = {0};
    bool found = false;
    uint64_t begin = __builtin_ia32_rdtsc(), now = begin;
    if (now - here->watched_at >= WATCH_CYCLES || weft_stands_by(here))
        return false;
    for (;;) {
        if (wanted(here))
            return true;
        if (!look(here, &sight, now, &found))
            return false;
        if (found) {
            here->watched_at = now;
            here->polled_at += now - begin; /* no part of what dispatches cost */
            return true;
        }
        if (now - here->watched_at >= WATCH_CYCLES)
            return false;
        weft_raw0(SYS_sched_yield); /* however long that takes, a look follows */
        now = __builtin_ia32_rdtsc();
    }
}
