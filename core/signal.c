/* SPDX-License-Identifier: MIT */
/*
 * See signal.h.
 *
 * Rules:
 *  1. What a signal handler touches is lock-free: the records' `used` flags and the stack `arrived`. A record
 * is in use only from the handler until a carrier distributes it.
 *  2. weft_signal_lock protects the queues. With a coroutine's own signal_lock held it stays what it is if it
 *     is open: a thread closes with that lock held (weft_signal_mask_end), before it gives up its id. So a
 *     wait is interrupted under both locks, which are taken in this order.
 *  3. What is for the process stands in one queue, as in the kernel. One that does not block it is told to
 *     look; when that one blocks it or ends meanwhile, another is told. It is main, and then main alone takes
 *     it, if main can: programs rely on it that main's wait is the one to end. Else who looks first takes it.
 *  4. Between a signal's being queued and a look at a mask is a full barrier (the lock's acquisition, for
 *     what was queued before): see rule 1 of signal_mask.c.
 */
#include "signal.h"

#include <stddef.h>

#include "balance.h"
#include "check.h"
#include "hint.h"
#include "park.h"
#include "raw.h"
#include "signal_internal.h"
#include "slab.h"
#include "visit.h"

#include <errno.h>
#include <limits.h>

enum { RECORDS = 1024, SCARCE = RECORDS / 2, STANDARD = 32 };

static struct weft_signal records[RECORDS];
static atomic_uint records_used;
static _Atomic(struct weft_signal *) arrived;
atomic_bool weft_signals_arrived;

struct weft_busy_lock weft_signal_lock;
static struct weft_lock
    distribution; /* held by who distributes, to keep the order; before weft_signal_lock */
static struct weft_slab slab = WEFT_SLAB_OF(struct weft_signal);
static struct weft_signal *shared; /* for the process, oldest first; its head: hint */
static struct coroutine *waiters;  /* in weft_signal_wait_begin, newest first */
static atomic_size_t queued_count; /* in all queues */

struct weft_signal *weft_signal_take(const siginfo_t *info, int tid, bool *scarce)
{
    for (int i = 0; i < RECORDS; i++) {
        bool used = false;
        if (!atomic_load_explicit(&records[i].used, memory_order_relaxed) &&
            atomic_compare_exchange_strong(&records[i].used, &used, true)) {
            records[i].next = NULL;
            records[i].tid = tid;
            records[i].info = *info;
            *scarce = atomic_fetch_add(&records_used, 1) >= SCARCE;
            return &records[i];
        }
    }
    return NULL;
}

static void announce(void)
{
    atomic_store(&weft_signals_arrived, true);
    weft_balance_wake_one();
}

void weft_signal_leave(struct weft_signal *signal)
{
    struct weft_signal *newest = atomic_load(&arrived);
    do
        signal->next = newest;
    while (!atomic_compare_exchange_weak(&arrived, &newest, signal));
    atomic_store(&weft_signals_arrived, true);
}

void weft_signal_arrive(struct weft_signal *signal)
{
    weft_signal_leave(signal);
    weft_balance_wake_one();
}

/* With the lock held, as all below. */
struct coroutine *weft_signal_choose(int number)
{
    uint64_t bit = weft_signal_bit(number);
    struct coroutine *main = weft_signal_mask_main(bit);
    if (main)
        return main;
    for (struct coroutine *waiter = waiters; waiter; waiter = waiter->signal_waiter_next)
        if (waiter->signal_wait & bit)
            return waiter;
    return weft_signal_mask_lacking(bit);
}

static void append(struct weft_signal **list, struct weft_signal *signal)
{
    while (*list)
        list = &(*list)->next;
    signal->next = NULL;
    weft_hint_set(*list, signal);
}

/* Standard signals do not queue. Real-time signals do, but those of one timer are counted in one. */
static bool merged(struct weft_signal *list, const siginfo_t *info)
{
    for (; list; list = list->next) {
        if (list->info.si_signo != info->si_signo)
            continue;
        if (list->info.si_code == SI_TIMER && info->si_code == SI_TIMER &&
            list->info.si_timerid == info->si_timerid) {
            int64_t count = (int64_t)list->info.si_overrun + 1 + info->si_overrun;
            list->info.si_overrun = count < INT_MAX ? (int)count : INT_MAX;
            return true;
        }
        if (info->si_signo < STANDARD)
            return true;
    }
    return false;
}

static int enqueue(struct weft_signal **list, const siginfo_t *info)
{
    if (merged(*list, info))
        return 0;
    struct weft_signal *signal = weft_slab_take(&slab);
    if (!signal)
        return -EAGAIN;
    signal->info = *info;
    append(list, signal);
    atomic_fetch_add(&queued_count, 1); /* rule 4's barrier */
    return 0;
}

static void give(struct weft_signal *signal)
{
    atomic_fetch_sub(&queued_count, 1);
    weft_slab_give(&slab, signal);
}

/* Sees to it that the target, whose signal_lock is held, looks at its queue. */
static void notify(struct processor *here, struct coroutine *target, int number)
{
    if (__atomic_load_n(&target->signal_mask, __ATOMIC_SEQ_CST) & ~target->signal_wait &
        weft_signal_bit(number))
        return;
    __atomic_store_n(&target->signal_due, 1, __ATOMIC_SEQ_CST);
    atomic_thread_fence(memory_order_seq_cst);
    weft_interrupt(here, target);
}

static void tell_one(struct processor *here, int number)
{
    struct coroutine *target = weft_signal_choose(number);
    if (!target)
        return;
    weft_lock_acquire(&target->signal_lock);
    if (target->signals_open) /* else it passes on what was queued before it closed */
        notify(here, target, number);
    weft_lock_release(&target->signal_lock);
}

/* Returns 0, -EAGAIN, or -ESRCH when the thread has ended. */
static int send_to(struct processor *here, struct coroutine *target, int tid, const siginfo_t *info)
{
    int result = -ESRCH;
    weft_lock_acquire(&target->signal_lock);
    if (target->signals_open && __atomic_load_n(&target->tid, __ATOMIC_RELAXED) == tid)
        result = enqueue(&target->signals, info);
    if (result == 0)
        notify(here, target, info->si_signo);
    weft_lock_release(&target->signal_lock);
    return result;
}

int weft_signal_send(struct processor *here, int tid, const siginfo_t *info)
{
    struct coroutine *target = tid ? weft_coroutine_find(tid) : NULL;
    int result;
    weft_lock_acquire(&weft_signal_lock.lock);
    if (!tid) {
        result = enqueue(&shared, info);
        if (result == 0)
            tell_one(here, info->si_signo);
    } else {
        result = target ? send_to(here, target, tid, info) : -ESRCH;
    }
    weft_lock_release(&weft_signal_lock.lock);
    return result;
}

static uint64_t numbers_in(const struct weft_signal *list)
{
    uint64_t set = 0;
    for (; list; list = list->next)
        set |= weft_signal_bit(list->info.si_signo);
    return set;
}

/* What is in the shared queue may be for somebody else now. */
static void tell_again(struct processor *here)
{
    weft_lock_acquire(&weft_signal_lock.lock);
    for (uint64_t set = numbers_in(shared); set; set &= set - 1)
        tell_one(here, __builtin_ctzll(set) + 1);
    weft_lock_release(&weft_signal_lock.lock);
}

/* With `distribution` held. */
static void distribute(struct processor *here)
{
    atomic_store(&weft_signals_arrived, false);
    struct weft_signal *newest = atomic_exchange(&arrived, NULL), *oldest = NULL;
    while (newest) {
        struct weft_signal *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    while (oldest) {
        struct weft_signal *signal = oldest;
        siginfo_t info = signal->info;
        int tid = signal->tid;
        oldest = oldest->next;
        atomic_fetch_sub(&records_used, 1);
        atomic_store(&signal->used, false);
        weft_signal_send(here, tid, &info);
    }
    if (__atomic_load_n(&shared, __ATOMIC_RELAXED)) /* who queues more tells of it */
        tell_again(here);
}

/* Who finds the lock held leaves it to the holder, who looks again after he has released it. */
void weft_signals_distribute(struct processor *here)
{
    do {
        if (!weft_lock_try(&distribution))
            return;
        distribute(here);
        weft_lock_release(&distribution);
    } while (atomic_load(&weft_signals_arrived));
}

void weft_signals_settle(struct coroutine *self)
{
    for (unsigned round = 0;; round++) {
        if (atomic_load(&weft_signals_arrived)) {
            weft_signals_distribute(weft_core_enter(self));
            weft_core_leave(self);
        }
        if (atomic_load(&distribution.state) == 0 && !atomic_load(&weft_signals_arrived))
            return;
        weft_visit_pause(round);
    }
}

void weft_signals_stop(void)
{
    weft_lock_acquire(&distribution);
}

void weft_signals_release(void)
{
    weft_lock_release(&distribution);
    if (atomic_load(&weft_signals_arrived))
        weft_balance_wake_one();
}

bool weft_signals_held(void)
{
    return __atomic_load_n(&shared, __ATOMIC_SEQ_CST) != NULL;
}

void weft_signals_pass_on(uint64_t set)
{
    if (numbers_in(shared) & set)
        announce();
}

void weft_signals_drop(struct coroutine *coroutine)
{
    while (coroutine->signals) {
        struct weft_signal *signal = coroutine->signals;
        weft_hint_set(coroutine->signals, signal->next);
        give(signal);
    }
}

static bool take_from(struct weft_signal **list, uint64_t set, siginfo_t *info)
{
    const uint64_t faults = weft_signal_bit(SIGSEGV) | weft_signal_bit(SIGBUS) | weft_signal_bit(SIGILL) |
                            weft_signal_bit(SIGTRAP) | weft_signal_bit(SIGFPE) | weft_signal_bit(SIGSYS);
    set &= numbers_in(*list);
    if (!set)
        return false;
    int number = __builtin_ctzll(set & faults ? set & faults : set) + 1;
    while ((*list)->info.si_signo != number)
        list = &(*list)->next;
    struct weft_signal *signal = *list;
    weft_hint_set(*list, signal->next);
    *info = signal->info;
    give(signal);
    return true;
}

static bool none_for(const struct coroutine *self)
{
    return !__atomic_load_n(&self->signals, __ATOMIC_SEQ_CST) && !__atomic_load_n(&shared, __ATOMIC_SEQ_CST);
}

/* Its own first. One for a handler leaves to main what main does not block. */
static bool next_of(struct coroutine *self, uint64_t set, bool handled, siginfo_t *info)
{
    if (none_for(self))
        return false;
    weft_lock_acquire(&weft_signal_lock.lock);
    uint64_t left = handled ? weft_signal_mask_left_to_main(self) : 0;
    bool found = take_from(&self->signals, set, info) || take_from(&shared, set & ~left, info);
    weft_lock_release(&weft_signal_lock.lock);
    return found;
}

bool weft_signal_next(struct coroutine *self, uint64_t set, siginfo_t *info)
{
    return next_of(self, set, false, info);
}

bool weft_signal_next_handled(struct coroutine *self, siginfo_t *info)
{
    return next_of(self, ~self->signal_mask, true, info);
}

uint64_t weft_signals_handled(struct coroutine *self)
{
    if (none_for(self))
        return 0;
    weft_lock_acquire(&weft_signal_lock.lock);
    uint64_t set = numbers_in(self->signals) | (numbers_in(shared) & ~weft_signal_mask_left_to_main(self));
    weft_lock_release(&weft_signal_lock.lock);
    return set & ~self->signal_mask;
}

uint64_t weft_signals_pending(struct coroutine *self)
{
    weft_lock_acquire(&weft_signal_lock.lock);
    uint64_t set = numbers_in(self->signals) | numbers_in(shared);
    weft_lock_release(&weft_signal_lock.lock);
    return set;
}

size_t weft_signals_queued(void)
{
    return atomic_load(&queued_count);
}

static void discard_from(struct weft_signal **list, int number)
{
    while (*list) {
        struct weft_signal *signal = *list;
        if (signal->info.si_signo != number) {
            list = &signal->next;
            continue;
        }
        weft_hint_set(*list, signal->next);
        give(signal);
    }
}

static void discard_for(struct coroutine *coroutine, void *number)
{
    discard_from(&coroutine->signals, *(int *)number);
}

void weft_signals_discard(int number)
{
    if (atomic_load(&queued_count) == 0)
        return;
    weft_lock_acquire(&weft_signal_lock.lock);
    discard_from(&shared, number);
    weft_coroutine_each(discard_for, &number);
    weft_lock_release(&weft_signal_lock.lock);
}

bool weft_signal_wait_begin(struct coroutine *self, uint64_t set, uint64_t *all)
{
    weft_lock_acquire(&weft_signal_lock.lock);
    bool there = (numbers_in(self->signals) | numbers_in(shared)) & set;
    if (!there) {
        self->signal_wait = set;
        self->signal_waiter_next = waiters;
        waiters = self;
        *all = 0;
        for (struct coroutine *waiter = waiters; waiter; waiter = waiter->signal_waiter_next)
            *all |= waiter->signal_wait;
    }
    weft_lock_release(&weft_signal_lock.lock);
    return !there;
}

void weft_signal_wait_end(struct coroutine *self)
{
    weft_lock_acquire(&weft_signal_lock.lock);
    struct coroutine **link = &waiters;
    while (*link != self)
        link = &(*link)->signal_waiter_next;
    *link = self->signal_waiter_next;
    /* What came for the process while we looked away is for the next who waits. */
    weft_signals_pass_on(self->signal_wait & self->signal_mask);
    self->signal_wait = 0;
    weft_lock_release(&weft_signal_lock.lock);
}

void weft_signals_restart(struct coroutine *self)
{
    distribution = weft_signal_lock.lock = slab.lock = (struct weft_lock){0};
    for (int i = 0; i < RECORDS; i++)
        atomic_store(&records[i].used, false);
    atomic_store(&records_used, 0);
    atomic_store(&arrived, NULL);
    atomic_store(&weft_signals_arrived, false);
    shared = NULL;
    waiters = NULL;
    atomic_store(&queued_count, 0);
    self->signals = NULL;
    self->signal_lock = (struct weft_lock){0};
    self->signal_wait = 0;
    weft_signal_mask_restart(self);
}
