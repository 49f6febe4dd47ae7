/* SPDX-License-Identifier: MIT */
/*
 * The loop of every carrier. One that has a processor looks, each time a coroutine has left, at what there is
 * to do in this order: visits and the global queue; the event loop, when it is due or nothing is ready;
 * signals; deadlines; what others could take; and then dispatches who is next. Most switches go from
 * coroutine to coroutine (park.h) and do not come here.
 */
#include "dispatch.h"

#include <sys/prctl.h>

#include "balance.h"
#include "bound.h"
#include "carrier.h"
#include "cpu_time.h"
#include "credentials.h"
#include "global.h"
#include "hint.h"
#include "lone.h"
#include "loop.h"
#include "parallelism.h"
#include "park.h"
#include "place.h"
#include "raw.h"
#include "signal.h"
#include "spare.h"
#include "visit.h"
#include "watch.h"

enum { LOOK_EVERY = 64 /* dispatches, at most */ };
enum { SHORT_STREAK = 4 /* dispatches through run_next, at least */ };

static void dispatch(struct carrier *carrier, struct coroutine *next)
{
    weft_coroutine_dispatched(next, carrier);
    weft_switch(&carrier->context, &next->context, NULL, NULL);
}

/* The kernel lets a thread sleep longer by its timer slack, 50 us unless the program has changed it: a nap
 * twice as long as it should be. But children inherit it, and it is the program's. */
static void nap_in_loop(struct processor *processor, int64_t timeout)
{
    long slack = weft_raw1(SYS_prctl, PR_GET_TIMERSLACK);
    weft_raw2(SYS_prctl, PR_SET_TIMERSLACK, 1);
    weft_loop_poll(processor->loop, timeout);
    weft_raw2(SYS_prctl, PR_SET_TIMERSLACK, slack);
}

/* Nothing is ready: sleeps in the loop until something is. */
static void sleep_in_loop(struct processor *processor)
{
    int64_t next = weft_timers_next(&processor->timers), timeout = WEFT_NEVER;
    if (next != WEFT_NEVER) {
        int64_t now = weft_now();
        timeout = next > now ? next - now : 0;
    }
    bool nap = weft_balance_nap(processor, &timeout);
    weft_lone_note(processor);
    if (!weft_processor_fall_asleep(processor))
        timeout = 0;
    uint64_t begin = __builtin_ia32_rdtsc();
    __atomic_store_n(&processor->asleep_since, timeout ? begin : 0, __ATOMIC_RELAXED);
    if (nap && timeout)
        nap_in_loop(processor, timeout);
    else
        weft_loop_poll(processor->loop, timeout);
    if (timeout)
        __atomic_store_n(&processor->cycles_slept, processor->cycles_slept + __builtin_ia32_rdtsc() - begin,
                         __ATOMIC_RELAXED);
    __atomic_store_n(&processor->asleep_since, 0, __ATOMIC_RELAXED);
    weft_processor_awaken(processor);
}

/*
 * What a poll has readied runs before the next poll: until then their descriptors are as ready as they were,
 * would be reported again, and, since nobody waits for them just now, given up and registered anew.
 */
static void note_batch(struct processor *processor)
{
    processor->poll_after = processor->ticks + (uint32_t)processor->queue.length;
}

/* Polls the loop when it is due, and takes note of what dispatches have cost since the last time. */
static void poll_when_due(struct processor *processor)
{
    uint64_t now = __builtin_ia32_rdtsc();
    if (now - processor->polled_at < WEFT_POLL_CYCLES)
        return;
    uint32_t dispatches = processor->ticks - processor->ticks_at_poll;
    if (dispatches) {
        weft_hint_set(processor->dispatch_cycles, (now - processor->polled_at) / dispatches);
        uint64_t ticks = WEFT_POLL_CYCLES / (processor->dispatch_cycles + 1);
        processor->look_every = ticks > LOOK_EVERY ? LOOK_EVERY : (uint32_t)ticks;
        uint64_t streak = WEFT_SHARE_CYCLES / (processor->dispatch_cycles + 1);
        processor->streak_most = streak > WEFT_STREAK    ? WEFT_STREAK
                                 : streak < SHORT_STREAK ? SHORT_STREAK
                                                         : (uint8_t)streak;
        weft_watch_consider(processor, now);
    }
    weft_balance_note_backlog(processor, now, dispatches);
    processor->ticks_at_poll = processor->ticks;
    processor->polled_at = now;
    if ((int32_t)(processor->ticks - processor->poll_after) < 0)
        return;
    size_t before = processor->queue.length;
    weft_loop_poll(processor->loop, 0);
    if (processor->queue.length > before)
        weft_balance_end_backlog(processor);
    note_batch(processor);
}

/* Runs the one whose carrier this is. */
static void run_bound(struct carrier *carrier)
{
    weft_bound_await(carrier);
    struct processor *processor = carrier->processor;
    weft_signal_mask_follow(carrier);
    weft_hint_add(processor->ticks, 1);
    if (processor->special & WEFT_CLOCKED)
        weft_cpu_time_switch(carrier, carrier->bound_to);
    processor->dispatched = carrier->bound_to;
    dispatch(carrier, carrier->bound_to);
}

/* Runs a hog, which is outside of core. */
static void run_beside(struct carrier *carrier)
{
    struct coroutine *hog = carrier->beside;
    carrier->beside = NULL;
    weft_place_release(carrier);
    carrier->processor = &weft_processors[0]; /* as good as any: it holds none */
    weft_signal_mask_follow(carrier);
    weft_coroutine_dispatched(hog, carrier);
    atomic_thread_fence(memory_order_seq_cst); /* rule 3 of cpu_time.c; and a sender of signals sees it run */
    if (__atomic_load_n(&carrier->processor->special, __ATOMIC_RELAXED) & WEFT_CLOCKED)
        weft_cpu_time_switch(carrier, hog);
    weft_switch(&carrier->context, &hog->context, NULL, NULL);
}

void weft_dispatch(void *argument)
{
    struct carrier *carrier = argument;
    if (!carrier->begun) {                   /* the first carrier's kernel thread has begun as main's */
        carrier->kernel_mask = ~UINT64_C(0); /* it may be: the monitor starts carriers too */
        weft_cpu_time_forget(carrier);
        weft_place_begin_thread(carrier);
        weft_carrier_begin_signals(carrier);
        atomic_store(&carrier->credentials, 0);
        weft_credentials_follow(carrier); /* not before it is listed: who publishes later kicks it */
    }
    for (;;) {
        struct processor *processor = carrier->processor;
        if (__builtin_expect(carrier->bound, 0)) {
            run_bound(carrier);
            continue;
        }
        if (!processor) {
            if (carrier->beside)
                run_beside(carrier);
            else if (carrier->deputy_of)
                weft_lone_stand_in(carrier);
            else
                weft_spare_wait(carrier);
            continue;
        }
        if (!weft_visit_admit(carrier, processor))
            continue;
        weft_place_follow(carrier);
        struct coroutine *bound = weft_global_share(processor);
        if (__builtin_expect(bound != NULL, 0)) {
            weft_bound_lend(carrier, processor, bound);
            continue;
        }
        /* The loop is polled once in a while even when coroutines are ready all the time. */
        if (weft_processor_busy(processor) || weft_balance_steal(processor)) {
            poll_when_due(processor);
        } else if (!weft_watch(processor)) {
            weft_balance_end_backlog(processor);
            sleep_in_loop(processor);
            note_batch(processor);
            processor->ticks_at_poll = processor->ticks;
            processor->polled_at = __builtin_ia32_rdtsc();
        }
        if (atomic_load(&weft_signals_arrived))
            weft_signals_distribute(processor);
        if (atomic_load_explicit(&processor->interrupts, memory_order_relaxed))
            weft_interrupts_serve(processor);
        weft_signal_mask_follow(carrier);
        weft_deadlines_fire(processor);
        if (__builtin_expect(weft_stands_by(processor), 0))
            weft_balance_pass_on(processor);
        weft_balance_share(processor);
        struct coroutine *next = weft_processor_pick(processor);
        if (next) {
            processor->dispatched = next;
            dispatch(carrier, next);
        }
    }
}
