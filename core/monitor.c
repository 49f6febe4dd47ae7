/* SPDX-License-Identifier: MIT */
/*
 * Rules of the monitor's kernel thread:
 *  1. It decides by what it reads without a lock; a wrong guess costs a hand-over and nothing else. What it
 *     does, it does by the compare-and-swap on `owner` that everybody uses.
 *  2. When all processors sleep it sleeps too, without a time-out: an idle program wakes nobody.
 */
#include "monitor.h"

#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>

#include "carrier.h"
#include "loop.h"
#include "park.h"
#include "raw.h"
#include "trace.h"

enum { PROCESSORS_LIMIT = 1024 };

static atomic_bool running;
static atomic_uint asleep; /* futex: 1 while it sleeps for want of work */

/* What it saw of each processor the last time. */
static struct {
    uintptr_t owner;
    uint32_t ticks;
    int64_t since;
} seen[PROCESSORS_LIMIT];

void weft_kernel_enter(struct coroutine *self)
{
    struct processor *processor = weft_core_enter(self);
    struct carrier *carrier = self->carrier;
    atomic_store(&processor->owner, 0);
    if (weft_carrier_adopt(processor) != 0)
        atomic_store(&processor->owner, (uintptr_t)carrier); /* no kernel thread to be had: all wait */
}

void weft_kernel_leave(struct coroutine *self)
{
    weft_core_enter(self);
    weft_core_leave(self);
}

static bool has_work(const struct processor *processor)
{
    return weft_processor_busy(processor) || processor->timers.count > 0 ||
           weft_loop_watching(processor->loop) > 0 || !weft_global_empty();
}

static void hand_on(struct processor *processor, uintptr_t owner)
{
    struct carrier *carrier = (struct carrier *)owner;
    struct coroutine *hog = carrier->running;
    if (!atomic_compare_exchange_strong(&processor->owner, &owner, 0))
        return;
    if (weft_trace_mask & WEFT_TRACE_SCHED && hog) {
        struct weft_line line = {0};
        weft_trace_begin(&line, hog);
        weft_line_text(&line, "monitor hands the processor on");
        weft_trace_end(&line);
    }
    if (weft_carrier_adopt(processor) != 0)
        atomic_store(&processor->owner, (uintptr_t)carrier);
}

/* Returns false when the processor sleeps. */
static bool look_at(struct processor *processor, int64_t now)
{
    unsigned i = processor->index;
    uintptr_t owner = atomic_load(&processor->owner);
    if (atomic_load(&processor->asleep))
        return false;
    if (owner == 0 || owner & WEFT_IN || owner != seen[i].owner || processor->ticks != seen[i].ticks) {
        seen[i].owner = owner;
        seen[i].ticks = processor->ticks;
        seen[i].since = now;
    } else if (now - seen[i].since >= WEFT_SLICE && has_work(processor)) {
        hand_on(processor, owner);
    }
    return true;
}

static void run(void *argument)
{
    uint64_t all = ~UINT64_C(0);
    (void)argument;
    weft_raw4(SYS_rt_sigprocmask, SIG_SETMASK, (long)&all, 0, sizeof all);
    for (int idle = 0;;) {
        struct timespec slice = {0, WEFT_SLICE};
        weft_raw2(SYS_nanosleep, (long)&slice, 0);
        bool busy = false;
        int64_t now = weft_now();
        for (unsigned i = 0; i < weft_processor_count; i++)
            busy |= look_at(&weft_processors[i], now);
        idle = busy ? 0 : idle + 1;
        if (idle < 2)
            continue;
        atomic_store(&asleep, 1);
        busy = false;
        for (unsigned i = 0; i < weft_processor_count; i++)
            busy |= !atomic_load(&weft_processors[i].asleep);
        while (!busy && atomic_load(&asleep))
            weft_raw4(SYS_futex, (long)&asleep, FUTEX_WAIT_PRIVATE, 1, 0);
        atomic_store(&asleep, 0);
        idle = 0;
    }
}

void weft_monitor_wake(void)
{
    if (atomic_load(&asleep) && atomic_exchange(&asleep, 0))
        weft_raw3(SYS_futex, (long)&asleep, FUTEX_WAKE_PRIVATE, 1);
}

void weft_monitor_start(void)
{
    if (atomic_load_explicit(&running, memory_order_relaxed) || atomic_exchange(&running, true))
        return;
    struct carrier *thread = weft_carrier_create();
    if (thread && weft_carrier_clone_thread(thread, run) == 0)
        return;
    atomic_store(&running, false);
}

void weft_monitor_forget(void)
{
    atomic_store(&running, false);
    atomic_store(&asleep, 0);
}
