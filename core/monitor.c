/* SPDX-License-Identifier: MIT */
/*
 * Rules of the monitor's kernel thread:
 *  1. It decides by what it reads without a lock; a wrong guess costs a hand-over and nothing else. What it
 *     does, it does by the compare-and-swap on `owner` that everybody uses.
 *  2. It looks every WEFT_SLICE; some 20 us apart while coroutines are in calls that may wait; so AGAIN times
 *     when something is ready beside an idle processor; and PROOF after it suspects a hog.
 *  3. It sleeps without a time-out when for LOOKS_IDLE looks no processor had anything to do but sleep, or to
 * run a coroutine that keeps nobody waiting: an idle program wakes nobody. Who makes a coroutine ready, and a
 * carrier that slept, wake it.
 *  4. Before it sleeps it says so, then looks once more; the others publish, then look whether it sleeps.
 * Between the two there must be a full barrier on either side. The others are many and in a hurry, so theirs
 * is made here. Where the kernel refuses that (a filter of system calls) it looks ten times a second instead.
 */
#include "monitor.h"

#include <errno.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <time.h>

#include "balance.h"
#include "bound.h"
#include "hint.h"
#include "hog.h"
#include "lone.h"
#include "loop.h"
#include "machine.h"
#include "parallelism.h"
#include "park.h"
#include "place.h"
#include "priority.h"
#include "raw.h"
#include "spare.h"
#include "trace.h"

enum { LOOKS_IDLE = 8, AGAIN = 3, BRIEF = 20000 /* ns */, PROOF = 100000 };

static atomic_bool running;
static _Atomic(struct carrier *) unborn; /* carriers that wait for their kernel thread: a stack */
atomic_uint weft_monitor_asleep;         /* futex: 1 while it sleeps for want of work */
static bool barrier;                     /* the kernel makes them */

/* What it saw of each processor the last time. */
static struct {
    uintptr_t owner;
    uint32_t ticks;
    int64_t since;
    int64_t cpu;       /* the carrier's, then, ns */
    int64_t suspected; /* when who runs was suspected to be a hog; 0: not yet */
} seen[WEFT_PROCESSORS_LIMIT];

static bool needs_no_processor(const struct coroutine *self)
{
    return __builtin_expect(self->bound | self->loop_out, 0);
}

void weft_kernel_enter(struct coroutine *self)
{
    if (needs_no_processor(self)) {
        weft_bound_step_out(self);
        return;
    }
    struct processor *processor = weft_core_enter(self);
    weft_carrier_hand_on(self->carrier, processor);
}

void weft_kernel_leave(struct coroutine *self)
{
    if (needs_no_processor(self))
        return; /* it enters when it needs one */
    weft_core_enter(self);
    weft_core_leave(self);
}

static void take_away(struct processor *processor, uintptr_t owner, bool computed)
{
    struct carrier *carrier = (struct carrier *)owner;
    struct coroutine *hog = __atomic_load_n(&carrier->running, __ATOMIC_RELAXED);
    if (!atomic_compare_exchange_strong(&processor->owner, &owner, 0))
        return;
    weft_place_release(carrier);
    weft_lone_taken(processor);
    if (hog && computed)
        weft_hint_set(hog->hog, 1);
    if (weft_trace_mask & WEFT_TRACE_SCHED && hog) {
        struct weft_line line = {0};
        weft_trace_begin(&line, hog);
        weft_line_text(&line, "monitor hands the processor on");
        weft_trace_end(&line);
    }
    if (weft_carrier_adopt(processor) != 0)
        weft_carrier_hold(processor, (uintptr_t)carrier); /* no kernel thread to be had: all wait */
}

/* Who makes a call before the next look computes only between calls, and is no hog: he would give his
 * processor away whenever he leaves core. */
static void suspect(struct coroutine *running)
{
    weft_hint_set(running->suspect, true);
}

static bool is_suspect(const struct coroutine *running)
{
    return running && __atomic_load_n(&running->suspect, __ATOMIC_RELAXED);
}

enum look { IDLE, BUSY, SUSPECTED, WAITING, IN_KERNEL };

/* Something is ready, and a processor that shares the work is idle. Whether it waits for long, which is a
 * matter of WEFT_SHARE_CYCLES, a few more looks must tell. */
static enum look busy_or_waiting(const struct processor *processor)
{
    unsigned stand_by = weft_processor_count - atomic_load_explicit(&weft_parallelism, memory_order_relaxed);
    bool idle = atomic_load_explicit(&weft_idle_processors, memory_order_relaxed) > stand_by;
    return idle && weft_processor_busy(processor) ? WAITING : BUSY;
}

static enum look look_at(struct processor *processor, int64_t now)
{
    unsigned i = processor->index;
    uintptr_t owner = atomic_load(&processor->owner);
    uint32_t ticks = __atomic_load_n(&processor->ticks, __ATOMIC_RELAXED);
    if (atomic_load(&processor->asleep) != WEFT_AWAKE)
        return IDLE;
    if (weft_balance_stalled(processor))
        weft_balance_call_rescuer();
    if (owner == 0 || owner & WEFT_FLAGS || owner != seen[i].owner || ticks != seen[i].ticks) {
        seen[i].owner = owner;
        seen[i].ticks = ticks;
        seen[i].since = now;
        seen[i].suspected = 0;
        seen[i].cpu =
            owner & ~WEFT_FLAGS ? weft_carrier_cpu_time((struct carrier *)(owner & ~WEFT_FLAGS)) : 0;
        return busy_or_waiting(processor);
    }
    if (!weft_processor_has_work(processor))
        return IDLE; /* it computes, or waits where only the kernel knows, and keeps nobody from anything */
    struct carrier *carrier = (struct carrier *)owner;
    struct coroutine *running = __atomic_load_n(&carrier->running, __ATOMIC_RELAXED);
    bool in_kernel = atomic_load(&carrier->in_kernel);
    int64_t waited = now - seen[i].since;
    if (waited >= (in_kernel ? BRIEF : weft_priority_slice(processor, running))) {
        if (!in_kernel && !seen[i].suspected && running) {
            suspect(running);
            seen[i].suspected = now;
        }
        if (!in_kernel && now - seen[i].suspected < PROOF)
            return SUSPECTED;
        /* One that was not run in all that time is no hog: others have the CPUs. */
        bool computed =
            !in_kernel && is_suspect(running) && (weft_carrier_cpu_time(carrier) - seen[i].cpu) * 2 >= waited;
        take_away(processor, owner, computed);
        return BUSY;
    }
    return in_kernel ? IN_KERNEL : busy_or_waiting(processor);
}

static enum look look_around(void)
{
    enum look most = IDLE;
    int64_t now = weft_now();
    for (unsigned i = 0; i < weft_processor_count; i++) {
        enum look look = look_at(&weft_processors[i], now);
        if (look > most)
            most = look;
    }
    weft_parallelism_look(now);
    return weft_hogs_look(now) && most == IDLE ? BUSY : most;
}

static void put_off(struct carrier *carrier)
{
    struct carrier *newest = atomic_load(&unborn);
    do
        carrier->next_unborn = newest;
    while (!atomic_compare_exchange_weak(&unborn, &newest, carrier));
}

/* Returns false when some are left. */
static bool make_carriers(void)
{
    struct carrier *carrier =
        atomic_load_explicit(&unborn, memory_order_relaxed) ? atomic_exchange(&unborn, NULL) : NULL;
    bool all = true;
    while (carrier) {
        struct carrier *next = carrier->next_unborn;
        if (weft_carrier_employ(carrier) != 0) {
            put_off(carrier);
            all = false;
        }
        carrier = next;
    }
    return all;
}

/* It sleeps without the 50 us by which the kernel lets a thread sleep longer; carriers that are made here
 * inherit those, as the program has set them. 0 on other kernel threads. */
static __thread long program_slack __attribute__((tls_model("initial-exec")));

void weft_monitor_lend_slack(bool lends)
{
    if (program_slack)
        weft_raw2(SYS_prctl, PR_SET_TIMERSLACK, lends ? program_slack : 1);
}

static void run(void *argument)
{
    uint64_t all = ~UINT64_C(0);
    (void)argument;
    weft_raw4(SYS_rt_sigprocmask, SIG_SETMASK, (long)&all, 0, sizeof all);
    program_slack = weft_raw1(SYS_prctl, PR_GET_TIMERSLACK);
    weft_raw2(SYS_prctl, PR_SET_TIMERSLACK, 1);
    const struct timespec now_and_then = {0, 100000000};
    struct timespec pause = {0, WEFT_SLICE};
    for (int idle = 0, again = 0;;) {
        weft_raw2(SYS_nanosleep, (long)&pause, 0);
        enum look look = look_around();
        if (!make_carriers())
            look = BUSY;
        again = look == WAITING && again < AGAIN ? again + 1 : 0;
        pause.tv_nsec = look == IN_KERNEL || again ? BRIEF : look == SUSPECTED ? PROOF : WEFT_SLICE;
        idle = look == IDLE ? idle + 1 : 0;
        if (idle < LOOKS_IDLE)
            continue;
        atomic_store(&weft_monitor_asleep, 1);
        weft_raw3(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
        if (look_around() != IDLE || atomic_load(&unborn))
            atomic_store(&weft_monitor_asleep, 0); /* became ready before it could see that we sleep */
        while (atomic_load(&weft_monitor_asleep))
            if (weft_raw4(SYS_futex, (long)&weft_monitor_asleep, FUTEX_WAIT_PRIVATE, 1,
                          barrier ? 0 : (long)&now_and_then) == -ETIMEDOUT)
                atomic_store(&weft_monitor_asleep, 0);
        idle = 0;
    }
}

void weft_monitor_wake_up(void)
{
    if (atomic_exchange(&weft_monitor_asleep, 0))
        weft_raw3(SYS_futex, (long)&weft_monitor_asleep, FUTEX_WAKE_PRIVATE, 1);
}

bool weft_monitor_runs(void)
{
    return atomic_load(&running);
}

int weft_monitor_make(struct carrier *carrier)
{
    if (!weft_monitor_runs())
        return -EAGAIN;
    put_off(carrier);
    weft_monitor_wake();
    return 0;
}

void weft_monitor_start(void)
{
    if (atomic_load_explicit(&running, memory_order_relaxed) || atomic_exchange(&running, true))
        return;
    /* Here, for it costs nothing while there is one kernel thread. Later the kernel would wait for all CPUs
     * (synchronize_rcu: some 10 ms), and an exit of the process would wait for that. */
    barrier = weft_raw3(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
    struct carrier *thread = weft_carrier_create();
    if (thread && weft_carrier_clone_thread(thread, run) == 0)
        return;
    atomic_store(&running, false);
}

void weft_monitor_forget(void)
{
    atomic_store(&running, false);
    atomic_store(&unborn, NULL);
    atomic_store(&weft_monitor_asleep, 0);
}
