/* SPDX-License-Identifier: MIT */
/*
 * Carriers.
 *
 * A carrier has a stack and a thread block of its own, mapped together:
 *
 *     ┌──────────────┬───────────────────────────────┬──────────────┬───────────────┐
 *     │ guard page   │ stack ◄── grows down          │ __thread     │ thread header │
 *     └──────────────┴───────────────────────────────┴──────────────┴───────────────┘
 *                                                                    ▲ fs_base
 * The thread block is not glibc's: it has just what compiled code expects at fixed places (its own address,
 * the stack protector's canary) and zeroed room for __thread variables, of which ours and those of
 * libev_system.c are used. So weft_current is NULL on a carrier, and nothing of libc that needs more may be
 * called there.
 *
 * A carrier without a processor is a spare and waits to be used again. One that is not needed for SPARE_TIME
 * ends its kernel thread, but for a few (SPARES_KEPT): after a burst of blocking calls the process is as
 * small as before. Its stack and block are used again when the kernel says, by CLONE_CHILD_CLEARTID, that the
 * thread is gone.
 *
 * Locks: spare_lock protects the lists of spare and retired carriers.
 */
#include "carrier.h"

#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "balance.h"
#include "bound.h"
#include "check.h"
#include "cpu_time.h"
#include "credentials.h"
#include "global.h"
#include "hint.h"
#include "lone.h"
#include "loop.h"
#include "monitor.h"
#include "parallelism.h"
#include "park.h"
#include "raw.h"
#include "signal.h"
#include "slab.h"
#include "visit.h"
#include "watch.h"

enum { GUARD = 4096, STACK = 64 * 1024, HEADER = 4096 };
enum { LOOK_EVERY = 64 /* dispatches, at most */ };
enum { SHORT_STREAK = 4 /* dispatches through run_next, at least */ };
enum { SPARES_KEPT = 2, SPARE_TIME = 100000000 /* ns */ };

long weft_carrier_clone(unsigned long flags, void *stack, int *tid, void *fs_base, void (*entry)(void *),
                        void *argument); /* clone.S */

static struct weft_slab carriers = WEFT_SLAB_OF(struct carrier);
static atomic_uint carriers_alive = 1;
static _Atomic(struct carrier *) started;
static struct weft_lock spare_lock;
static struct weft_list spares = {&spares, &spares}; /* newest first */
static struct weft_list retired = {&retired,
                                   &retired}; /* oldest first: their kernel threads end, or have ended */
static unsigned spare_count;

static void prepare(struct carrier *carrier)
{
    carrier->begun = carrier->bound_ended = false;
    weft_hint_set(carrier->bound, WEFT_UNBOUND);
    char *top = carrier->stack_top;
    weft_context_prepare(&carrier->context, top, carrier->context.fs_base, weft_carrier_run, carrier);
}

/* A carrier whose kernel thread has ended. */
static struct carrier *take_retired(void)
{
    struct carrier *carrier = NULL;
    weft_lock_acquire(&spare_lock);
    if (!weft_list_empty(&retired)) {
        carrier = weft_container(retired.next, struct carrier, spare_node);
        if (__atomic_load_n(&carrier->tid, __ATOMIC_ACQUIRE) == 0)
            weft_list_remove(&carrier->spare_node);
        else
            carrier = NULL;
    }
    weft_lock_release(&spare_lock);
    return carrier;
}

struct carrier *weft_carrier_create(void)
{
    struct carrier *used = take_retired();
    if (used) {
        prepare(used);
        return used;
    }
    uintptr_t here = weft_fs_base();
    /* All our __thread variables lie in one block, of far less than a page, around weft_current. */
    size_t thread_room = (here - (uintptr_t)&weft_current + 2 * HEADER) & ~(size_t)(HEADER - 1);
    size_t size = GUARD + STACK + thread_room + HEADER;
    char *pages = weft_pages_map(size);
    struct carrier *carrier = weft_slab_take(&carriers);
    if (!pages || !carrier)
        return NULL;
    *carrier = (struct carrier){.kernel_mask = ~UINT64_C(0)};
    weft_raw3(SYS_mprotect, (long)pages, GUARD, PROT_NONE);
    char *fs_base = pages + size - HEADER;
    memcpy(fs_base, (void *)here, 64); /* canary and pointer guard stand in the first words */
    *(char **)fs_base = fs_base;
    *((char **)fs_base + 2) = fs_base;
    carrier->stack_top = fs_base - thread_room;
    carrier->context.fs_base = (uintptr_t)fs_base;
    weft_list_init(&carrier->spare_node);
    prepare(carrier);
    return carrier;
}

void weft_carrier_give(struct carrier *carrier)
{
    __atomic_store_n(&carrier->tid, 0, __ATOMIC_RELEASE);
    weft_lock_acquire(&spare_lock);
    weft_list_append(&retired, &carrier->spare_node);
    weft_lock_release(&spare_lock);
}

void weft_carrier_begin_signals(struct carrier *carrier)
{
    enum { SIZE = 64 * 1024 };
    void *pages = carrier->alternate.base ? (void *)carrier->alternate.base : weft_pages_map(SIZE);
    stack_t stack = {.ss_sp = pages, .ss_size = SIZE};
    if (pages && weft_raw2(SYS_sigaltstack, (long)&stack, 0) == 0)
        carrier->alternate = (struct weft_alternate){(uintptr_t)pages, SIZE, 0};
    carrier->begun = true;
    if (carrier->listed)
        return;
    carrier->listed = true;
    struct carrier *first = atomic_load(&started);
    do
        carrier->next_started = first;
    while (!atomic_compare_exchange_weak(&started, &first, carrier));
}

struct carrier *weft_carrier_first(void)
{
    return atomic_load(&started);
}

void weft_carriers_forget(struct carrier *carrier)
{
    carrier->next_started = NULL;
    atomic_store(&started, carrier);
    weft_list_init(&spares);
    weft_list_init(&retired);
    spare_count = 0;
    spare_lock = (struct weft_lock){0};
    weft_global_forget();
    atomic_store(&carriers_alive, 1);
}

struct carrier *weft_carrier_of(int tid)
{
    struct carrier *carrier = weft_carrier_first();
    while (carrier && __atomic_load_n(&carrier->tid, __ATOMIC_RELAXED) != tid)
        carrier = carrier->next_started;
    return carrier;
}

int weft_carrier_unbound_id(void)
{
    for (struct carrier *carrier = weft_carrier_first(); carrier; carrier = carrier->next_started) {
        int tid = __atomic_load_n(&carrier->tid, __ATOMIC_ACQUIRE);
        if (tid && !__atomic_load_n(&carrier->bound, __ATOMIC_RELAXED))
            return tid;
    }
    return 0;
}

unsigned weft_carrier_count(void)
{
    return atomic_load(&carriers_alive);
}

int64_t weft_carrier_cpu_time(const struct carrier *carrier)
{
    enum { PER_THREAD = 4, SCHEDULED = 2 }; /* how the kernel makes a clock's number of a thread's */
    struct timespec time;
    long clock = (long)(~(unsigned)carrier->tid) << 3 | PER_THREAD | SCHEDULED;
    if (weft_raw2(SYS_clock_gettime, (int)clock, (long)&time) != 0)
        return -1;
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

int weft_carrier_clone_thread(struct carrier *carrier, void (*entry)(void *))
{
    unsigned long flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
                          CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
    /* It begins with all signals blocked: none of the process's are for it. */
    uint64_t all = ~UINT64_C(0), before;
    weft_raw4(SYS_rt_sigprocmask, SIG_SETMASK, (long)&all, (long)&before, sizeof all);
    weft_monitor_lend_slack(true);
    long result = weft_carrier_clone(flags, carrier->context.rsp, &carrier->tid,
                                     (void *)carrier->context.fs_base, entry, carrier);
    weft_monitor_lend_slack(false);
    weft_raw4(SYS_rt_sigprocmask, SIG_SETMASK, (long)&before, 0, sizeof before);
    return result < 0 ? (int)result : 0;
}

void weft_carrier_hold(struct processor *processor, uintptr_t owner)
{
    uintptr_t nobody = 0;
    for (unsigned round = 0; !atomic_compare_exchange_weak(&processor->owner, &nobody, owner); round++) {
        weft_check((nobody & ~WEFT_VISITED) == 0);
        nobody = 0;
        weft_visit_pause(round);
    }
}

static struct carrier *take_spare(void)
{
    struct carrier *carrier = NULL;
    weft_lock_acquire(&spare_lock);
    if (!weft_list_empty(&spares)) {
        carrier = weft_container(spares.next, struct carrier, spare_node);
        weft_list_remove(&carrier->spare_node);
        weft_hint_add(spare_count, -1);
    }
    weft_lock_release(&spare_lock);
    return carrier;
}

int weft_carrier_employ(struct carrier *carrier)
{
    atomic_fetch_add(&carriers_alive, 1);
    int result = weft_carrier_clone_thread(carrier, weft_carrier_run);
    if (result < 0)
        atomic_fetch_sub(&carriers_alive, 1);
    return result;
}

/* Starts what take_spare or weft_carrier_create has given, and has been told what to do. Returns 0, or -errno
 * when there is no kernel thread to be had. */
static int employ(struct carrier *carrier, bool spare)
{
    if (spare) {
        atomic_store(&carrier->wake, WEFT_WAKE_EMPLOYED);
        weft_raw3(SYS_futex, (long)&carrier->wake, FUTEX_WAKE_PRIVATE, 1);
        return 0;
    }
    /* This kernel thread may be a bound one. */
    return weft_bound_ever() ? weft_monitor_make(carrier) : weft_carrier_employ(carrier);
}

int weft_carrier_adopt(struct processor *processor)
{
    struct carrier *spare = take_spare(), *carrier = spare ? spare : weft_carrier_create();
    if (!carrier)
        return -ENOMEM;
    carrier->processor = processor;
    weft_carrier_hold(processor, (uintptr_t)carrier | WEFT_IN);
    int result = employ(carrier, spare != NULL);
    if (result < 0) {
        atomic_store(&processor->owner, 0);
        weft_carrier_give(carrier);
    }
    return result;
}

int weft_carrier_depute(struct processor *processor)
{
    struct carrier *spare = take_spare(), *carrier = spare ? spare : weft_carrier_create();
    if (!carrier)
        return -ENOMEM;
    carrier->processor = NULL;
    carrier->deputy_of = processor;
    atomic_store(&processor->deputy, carrier);
    int result = employ(carrier, spare != NULL);
    if (result < 0) {
        atomic_store(&processor->deputy, NULL);
        carrier->deputy_of = NULL;
        weft_carrier_give(carrier);
    }
    return result;
}

bool weft_carrier_hand_on(struct carrier *carrier, struct processor *processor)
{
    atomic_store(&processor->owner, 0);
    if (weft_carrier_adopt(processor) == 0)
        return true;
    weft_carrier_hold(processor, (uintptr_t)carrier); /* no kernel thread to be had: all wait */
    return false;
}

bool weft_carrier_is_first(const struct carrier *carrier)
{
    return carrier->tid == (int)weft_raw0(SYS_getpid);
}

static _Noreturn void exit_kernel_thread(void)
{
    atomic_fetch_sub(&carriers_alive, 1);
    weft_raw1(SYS_exit, 0);
    __builtin_unreachable();
}

bool weft_carrier_has_children(void)
{
    siginfo_t info;
    return weft_raw5(SYS_waitid, P_ALL, 0, (long)&info, WEXITED | WNOHANG | WNOWAIT | __WNOTHREAD | __WALL,
                     0) != -ECHILD;
}

/* Ends this kernel thread if it is still an unwanted spare. */
static void retire(struct carrier *carrier)
{
    weft_lock_acquire(&spare_lock);
    bool unwanted =
        spare_count > SPARES_KEPT + weft_processor_count && !weft_list_empty(&carrier->spare_node);
    if (unwanted) {
        weft_list_remove(&carrier->spare_node);
        weft_hint_add(spare_count, -1);
        weft_list_append(&retired, &carrier->spare_node);
    }
    weft_lock_release(&spare_lock);
    if (unwanted)
        exit_kernel_thread();
}

void weft_carrier_end(struct carrier *carrier)
{
    while (weft_carrier_is_first(carrier))
        weft_carrier_wait(carrier);
    weft_lock_acquire(&spare_lock);
    weft_list_append(&retired, &carrier->spare_node);
    weft_lock_release(&spare_lock);
    exit_kernel_thread();
}

/* One sleep of who waits to be woken, for `time` at most; NULL: for as long as it takes. */
static long wait_once(struct carrier *carrier, const struct timespec *time)
{
    /* The first kernel thread receives signals meanwhile; the others may be busy for long. */
    if (atomic_load(&weft_signals_arrived))
        weft_signals_distribute(NULL);
    weft_signal_mask_follow(carrier);
    return weft_raw4(SYS_futex, (long)&carrier->wake, FUTEX_WAIT_PRIVATE, 0, (long)time);
}

void weft_carrier_wait(struct carrier *carrier)
{
    while (atomic_exchange(&carrier->wake, 0) != WEFT_WAKE_EMPLOYED)
        wait_once(carrier, NULL);
}

/* Waits until there is something for it to do. */
static void wait_as_spare(struct carrier *carrier)
{
    bool first = weft_carrier_is_first(carrier);
    atomic_store(&carrier->is_parent, false);
    weft_lock_acquire(&spare_lock);
    weft_list_append(spares.next, &carrier->spare_node); /* before the first: the newest is the hottest */
    weft_hint_add(spare_count, 1);
    weft_lock_release(&spare_lock);
    while (atomic_exchange(&carrier->wake, 0) != WEFT_WAKE_EMPLOYED) {
        bool surplus = !first && !atomic_load(&carrier->is_parent) &&
                       __atomic_load_n(&spare_count, __ATOMIC_RELAXED) > SPARES_KEPT + weft_processor_count;
        const struct timespec time = {0, SPARE_TIME};
        if (wait_once(carrier, surplus ? &time : NULL) != -ETIMEDOUT)
            continue;
        /* First: who takes away the last of its children meanwhile sees it. */
        atomic_store(&carrier->is_parent, true);
        if (weft_carrier_has_children())
            continue;
        retire(carrier);
        atomic_store(&carrier->is_parent, false);
    }
}

void weft_carriers_lose_child(void)
{
    for (struct carrier *carrier = weft_carrier_first(); carrier; carrier = carrier->next_started) {
        unsigned asleep = WEFT_WAKE_NOT;
        if (!atomic_load(&carrier->is_parent) || !atomic_exchange(&carrier->is_parent, false))
            continue;
        atomic_compare_exchange_strong(&carrier->wake, &asleep, WEFT_WAKE_SIGNAL);
        weft_raw3(SYS_futex, (long)&carrier->wake, FUTEX_WAKE_PRIVATE, 1);
    }
}

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

void weft_carrier_run(void *argument)
{
    struct carrier *carrier = argument;
    if (!carrier->begun) {                   /* the first carrier's kernel thread has begun as main's */
        carrier->kernel_mask = ~UINT64_C(0); /* it may be: the monitor starts carriers too */
        weft_cpu_time_forget(carrier);
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
            if (carrier->deputy_of)
                weft_lone_stand_in(carrier);
            else
                wait_as_spare(carrier);
            continue;
        }
        if (!weft_visit_admit(carrier, processor))
            continue;
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
