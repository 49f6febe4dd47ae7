/* SPDX-License-Identifier: MIT */
/*
 * See cpu_time.h.
 *
 * Rules:
 *  1. A carrier's clock belongs to its lock; whoever holds it may bring the clock up to date: the carrier at
 * a switch, and everybody who reads the clock of the coroutine that it runs.
 *  2. `clocked` is whose time runs on it. A coroutine that is nobody's `clocked` does not run, or is about
 * to: then what it has used is what was counted for it last.
 *  3. A carrier without a processor, whom begin_beside may meet at any time, clears `running` and then looks
 * at `clocked`, both sequentially consistent; begin_beside sets `clocked` and then looks at `running`. So no
 *     clock runs on for a coroutine that has left.
 */
#include "cpu_time.h"

#include <stddef.h>
#include <time.h>

#include "carrier.h"
#include "hint.h"
#include "park.h"
#include "raw.h"
#include "visit.h"

static atomic_bool counting; /* everything below has been set up once */

/* ns that the kernel has counted for a kernel thread; 0: for the caller's. Negative: there is none. */
static int64_t kernel_clock(int tid)
{
    enum { SCHED = 2, THREAD = 4 }; /* clock_getres(2): a thread's clock by its id */
    struct timespec time;
    long clock = tid ? (int)(~(unsigned)tid << 3 | THREAD | SCHED) : CLOCK_THREAD_CPUTIME_ID;
    if (weft_raw2(SYS_clock_gettime, clock, (long)&time) != 0)
        return -1;
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* Brings the estimate up to date by asking. */
static void ask(struct weft_cpu_clock *clock, int tid, int64_t now)
{
    int64_t exactly = kernel_clock(tid);
    if (exactly >= 0)
        clock->estimate = exactly;
    clock->asked = clock->stamp = now;
}

/* Counts what has passed for whose time it is. */
static void charge(struct weft_cpu_clock *clock)
{
    int64_t passed = clock->estimate - clock->given;
    if (passed <= 0)
        return; /* more than the kernel's was given already */
    __atomic_store_n(&clock->given, clock->estimate, __ATOMIC_SEQ_CST); /* first: see weft_cpu_time_peek */
    if (clock->clocked)
        __atomic_fetch_add(&clock->clocked->cpu_time, passed, __ATOMIC_SEQ_CST);
}

void weft_cpu_time_switch(struct carrier *carrier, struct coroutine *next)
{
    struct weft_cpu_clock *clock = &carrier->clock;
    weft_lock_acquire(&clock->lock);
    int64_t now = weft_now();
    if (now - clock->asked >= WEFT_CPU_TIME_ASK) {
        ask(clock, 0, now);
    } else {
        if (clock->clocked) /* else it may have slept */
            clock->estimate += now - clock->stamp;
        clock->stamp = now;
    }
    charge(clock);
    __atomic_store_n(&clock->clocked, next, __ATOMIC_SEQ_CST);
    weft_lock_release(&clock->lock);
}

/* The clock of a carrier, perhaps another's, begins with what it runs. `before`: what it used so far counts.
 */
static void begin_beside(struct carrier *carrier, bool before)
{
    struct weft_cpu_clock *clock = &carrier->clock;
    weft_lock_acquire(&clock->lock);
    struct coroutine *running = __atomic_load_n(&carrier->running, __ATOMIC_SEQ_CST);
    int tid = __atomic_load_n(&carrier->tid, __ATOMIC_SEQ_CST);
    if (running && !clock->clocked && tid) {
        ask(clock, tid, weft_now());
        if (!before)
            weft_hint_set(clock->given, clock->estimate);
        __atomic_store_n(&clock->clocked, running, __ATOMIC_SEQ_CST);
        if (__atomic_load_n(&carrier->running, __ATOMIC_SEQ_CST) == running)
            charge(clock);
        else
            weft_hint_set(clock->clocked, NULL); /* it has left, and perhaps not seen that it had a clock */
    }
    weft_lock_release(&clock->lock);
}

/* In core on the processor, or visiting: what runs there cannot switch, and will be clocked when it does. */
static void begin_on(void *argument)
{
    struct processor *processor = argument;
    struct carrier *carrier = (struct carrier *)(atomic_load(&processor->owner) & ~WEFT_FLAGS);
    weft_hint_set(processor->special, processor->special | WEFT_CLOCKED);
    if (carrier)
        begin_beside(carrier, carrier == weft_current->carrier);
}

/* Several may do this at a time: each step, done again, does nothing. */
void weft_cpu_time_begin(void)
{
    if (atomic_load(&counting))
        return;
    for (unsigned i = 0; i < weft_processor_count; i++)
        weft_visit(&weft_processors[i], begin_on, &weft_processors[i]);
    /* Those that run without a processor. */
    for (struct carrier *carrier = weft_carrier_first(); carrier; carrier = carrier->next_started)
        begin_beside(carrier, false);
    atomic_store(&counting, true);
}

/* A clock does not go back: what was told of it holds, and the counting, off by no more than that, catches
 * up. */
static int64_t tell(struct coroutine *coroutine, int64_t used)
{
    int64_t told = __atomic_load_n(&coroutine->cpu_time_told, __ATOMIC_RELAXED);
    while (used > told)
        if (__atomic_compare_exchange_n(&coroutine->cpu_time_told, &told, used, false, __ATOMIC_RELAXED,
                                        __ATOMIC_RELAXED))
            return used;
    return told;
}

int64_t weft_cpu_time(struct coroutine *coroutine)
{
    for (;;) {
        struct carrier *carrier = __atomic_load_n(&coroutine->carrier, __ATOMIC_SEQ_CST);
        if (!carrier) /* it has not run yet */
            return tell(coroutine, __atomic_load_n(&coroutine->cpu_time, __ATOMIC_RELAXED));
        struct weft_cpu_clock *clock = &carrier->clock;
        weft_lock_acquire(&clock->lock);
        bool runs = clock->clocked == coroutine;
        if (runs) {
            ask(clock, carrier == weft_current->carrier ? 0 : carrier->tid, weft_now());
            charge(clock);
        }
        int64_t used = __atomic_load_n(&coroutine->cpu_time, __ATOMIC_RELAXED);
        weft_lock_release(&clock->lock);
        if (runs || __atomic_load_n(&coroutine->carrier, __ATOMIC_SEQ_CST) == carrier)
            return tell(coroutine, used);
    }
}

/*
 * What is charged leaves the carrier's account (`given`) before it stands in the coroutine's, and here the
 * coroutine's is read first: so what moves meanwhile is missed, not counted twice. The same `given` on both
 * sides of the kernel's word says that the carrier ran nobody else in between.
 */
int64_t weft_cpu_time_peek(struct coroutine *coroutine)
{
    int64_t used = __atomic_load_n(&coroutine->cpu_time, __ATOMIC_SEQ_CST);
    struct carrier *carrier = __atomic_load_n(&coroutine->carrier, __ATOMIC_SEQ_CST);
    if (!carrier)
        return tell(coroutine, used);
    struct weft_cpu_clock *clock = &carrier->clock;
    int64_t given = __atomic_load_n(&clock->given, __ATOMIC_SEQ_CST);
    int tid = __atomic_load_n(&carrier->tid, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&clock->clocked, __ATOMIC_SEQ_CST) != coroutine || !tid)
        return tell(coroutine, used);
    int64_t more = kernel_clock(tid) - given;
    bool same = __atomic_load_n(&clock->clocked, __ATOMIC_SEQ_CST) == coroutine &&
                __atomic_load_n(&clock->given, __ATOMIC_SEQ_CST) == given;
    return tell(coroutine, same && more > 0 ? used + more : used);
}

void weft_cpu_time_forget(struct carrier *carrier)
{
    struct weft_cpu_clock *clock = &carrier->clock;
    weft_lock_acquire(&clock->lock);
    clock->asked = clock->stamp = clock->estimate = 0;
    weft_hint_set(clock->given, 0);
    weft_lock_release(&clock->lock);
}

void weft_cpu_time_restart(struct coroutine *self)
{
    self->cpu_time = self->cpu_time_told = self->cpu_time_system = self->cpu_time_split = 0;
    self->carrier->clock = (struct weft_cpu_clock){0};
    if (!atomic_load(&counting))
        return;
    self->carrier->clock.clocked = self;
    for (unsigned i = 0; i < weft_processor_count; i++)
        weft_hint_set(weft_processors[i].special, weft_processors[i].special | WEFT_CLOCKED);
}
