/* SPDX-License-Identifier: MIT */
/*
 * See lone.h.
 *
 * Rules:
 *  1. `lone`, `lone_sleeps` and `lone_wanted` belong to the processor's owner; `lone_waits` is set and
 * cleared by its owner, too, and read by the deputy, which believes it only for a try: a compare-and-swap on
 * `owner`. That may also take the processor from a lone whose call has ended just before. It costs that one a
 * wait, no more.
 *  2. Who begins sets `lone_waits` and then looks at `deputy`; a deputy that gives up clears `deputy` and
 * then looks at `lone_waits`: one of the two sees the other.
 *  3. What the deputy is woken by must be in the kernel's epoll set: libev puts it there with the next poll,
 * so a loop that was changed is polled first. What the lone itself waits for must not be in it
 * (weft_loop_leave).
 *  4. A deputy blocks all signals but while it polls: a kick that tells it of an earlier deadline is not
 * lost.
 */
#include "lone.h"

#include <errno.h>
#include <poll.h>

#include "balance.h"
#include "carrier.h"
#include "hint.h"
#include "loop.h"
#include "monitor.h"
#include "parallelism.h"
#include "park.h"
#include "raw.h"
#include "signal.h"
#include "signal_mask.h"
#include "spare.h"
#include "trace.h"
#include "visit.h"

enum {
    LEAST = 16,   /* sleeps: a failure costs some 20 us, a sleep saves about one */
    MOST = 1024,  /* the same after many failures */
    PROVED = 1000 /* waits in a row after which failures are forgotten */
};

void weft_lone_note(struct processor *here)
{
    uint32_t ran = here->ticks - here->slept_ticks;
    here->slept_ticks = here->ticks;
    if (!here->lone_wanted)
        weft_hint_set(here->lone_wanted, LEAST);
    if (ran == 0)
        return; /* woken for nothing */
    if (ran > 1 || here->dispatched != here->lone) {
        weft_hint_set(here->lone, here->dispatched);
        weft_hint_set(here->lone_sleeps, 0);
    } else if (here->lone_sleeps < MOST) {
        weft_hint_add(here->lone_sleeps, 1);
    }
}

static void poll_now(void *loop)
{
    weft_loop_poll(loop, 0);
}

static void kick(const struct carrier *carrier)
{
    weft_raw3(SYS_tgkill, weft_raw0(SYS_getpid), __atomic_load_n(&carrier->tid, __ATOMIC_RELAXED),
              WEFT_SIGNAL_KICK);
}

/* Rule 3. Returns false when there is something to do. */
static bool loop_in_order(struct processor *here)
{
    if (weft_loop_changed(here->loop) || !atomic_load(&here->deputy))
        weft_vectors_preserved(poll_now, here->loop);
    return !weft_processor_busy(here);
}

/* Sees to it that a deputy looks after the loop, until the next deadline at most. `lone_waits` is set. */
static bool depute(struct processor *here)
{
    int64_t deadline = weft_timers_next(&here->timers);
    int64_t before = atomic_exchange(&here->deputy_until, deadline);
    struct carrier *deputy = atomic_load(&here->deputy);
    if (!deputy)
        return weft_carrier_depute(here) == 0;
    if (deadline < before)
        kick(deputy);
    return true;
}

bool weft_lone_begin(struct coroutine *self)
{
    struct processor *here = weft_core_enter(self);
    if (!weft_lone_likely(self) || self->bound || weft_processor_busy(here) || here->naps ||
        weft_stands_by(here) || weft_trace_mask || !loop_in_order(here))
        goto parks;
    atomic_store(&here->lone_waits, true);
    if (!depute(here)) {
        weft_hint_set(here->lone_sleeps, 0);
        goto waits_not;
    }
    if (!weft_processor_fall_asleep(here)) {
        weft_processor_awaken(here);
        goto waits_not;
    }
    __atomic_store_n(&here->asleep_since, __builtin_ia32_rdtsc(), __ATOMIC_RELAXED);
    atomic_store_explicit(&here->owner, (uintptr_t)self->carrier, memory_order_release);
    return true;

waits_not:
    atomic_store(&here->lone_waits, false);
parks:
    weft_core_leave(self);
    return false;
}

/* The end of a wait that has begun on `processor`, which is the caller's. */
static void end(struct processor *processor)
{
    uint64_t now = __builtin_ia32_rdtsc();
    atomic_store_explicit(&processor->lone_waits, false, memory_order_relaxed);
    __atomic_store_n(&processor->cycles_slept, processor->cycles_slept + now - processor->asleep_since,
                     __ATOMIC_RELAXED);
    __atomic_store_n(&processor->asleep_since, 0, __ATOMIC_RELAXED);
    weft_processor_awaken(processor);
    processor->polled_at = now;
}

void weft_lone_end(struct coroutine *self)
{
    struct processor *here = weft_core_enter(self);
    if (atomic_load_explicit(&here->lone_waits, memory_order_relaxed)) {
        end(here);
        weft_hint_add(here->ticks, 1); /* as a dispatch */
        here->slept_ticks++;
        here->ticks_at_poll = here->ticks;
        if (++here->lone_proved == PROVED) {
            here->lone_proved = 0;
            weft_hint_set(here->lone_wanted, LEAST);
        }
    }
    weft_core_leave(self);
}

void weft_lone_taken(struct processor *processor)
{
    if (!atomic_load_explicit(&processor->lone_waits, memory_order_relaxed))
        return;
    end(processor);
    weft_hint_set(processor->lone_sleeps, 0);
    if (processor->lone_wanted < MOST)
        weft_hint_set(processor->lone_wanted, (uint16_t)(processor->lone_wanted * 2));
    processor->lone_proved = 0;
}

static bool take(struct processor *processor, struct carrier *carrier)
{
    for (unsigned round = 0; atomic_load(&processor->lone_waits); round++) {
        uintptr_t owner = atomic_load(&processor->owner);
        if (owner && !(owner & WEFT_FLAGS) &&
            atomic_compare_exchange_strong(&processor->owner, &owner, (uintptr_t)carrier | WEFT_IN)) {
            carrier->processor = processor;
            atomic_store(&processor->deputy, NULL);
            weft_lone_taken(processor);
            return true;
        }
        weft_visit_pause(round);
    }
    return false;
}

/* Polls the loop until something is to be done in it, or its next deadline has come. */
static void watch_loop(const struct processor *processor, struct carrier *carrier)
{
    struct pollfd poll = {.fd = weft_loop_descriptor(processor->loop), .events = POLLIN};
    for (;;) {
        weft_signal_mask_all(carrier); /* rule 4 */
        int64_t until = atomic_load(&processor->deputy_until), now = weft_now();
        int64_t left = until > now ? until - now : 0;
        struct timespec time = {left / 1000000000, left % 1000000000};
        uint64_t mask = weft_signal_mask_wanted(carrier);
        long result = weft_raw6(SYS_ppoll, (long)&poll, 1, until == WEFT_NEVER ? 0 : (long)&time, (long)&mask,
                                sizeof mask, 0);
        /* The first kernel thread receives signals as a deputy, too. */
        if (atomic_load(&weft_signals_arrived))
            weft_signals_distribute(NULL);
        if (result != -EINTR && (result != 0 || weft_now() >= atomic_load(&processor->deputy_until)))
            return;
    }
}

void weft_lone_stand_in(struct carrier *carrier)
{
    struct processor *processor = carrier->deputy_of;
    struct carrier *nobody;
    do {
        watch_loop(processor, carrier);
        if (take(processor, carrier))
            break;
        atomic_store(&processor->deputy, NULL); /* rule 2 */
        nobody = NULL;
    } while (atomic_load(&processor->lone_waits) &&
             atomic_compare_exchange_strong(&processor->deputy, &nobody, carrier));
    carrier->deputy_of = NULL;
    weft_signal_mask_follow(carrier);
}
