/* SPDX-License-Identifier: MIT */
/*
 * See signal.h.
 *
 * Rules:
 *  1. What a signal handler touches is lock-free: the records' `used` flags and the stack `arrived`.
 *  2. `lock` protects the coroutines' queues, the held ones and the masks; handlers never take it.
 *  3. glibc blocks everything, its own two signals included, for the moments in which a thread is made or
 *     ends. Nothing of the program's can block those two, so such a mask is told by them; it keeps handlers
 *     away from the coroutine but does not count towards what the kernel threads block: for so short
 *     a time nobody can tell.
 */
#include "signal.h"

#include <errno.h>
#include <stddef.h>

#include "balance.h"
#include "check.h"
#include "lock.h"
#include "park.h"
#include "raw.h"

enum { RECORDS = 1024, MASKS = 64, CANCEL = 32 };

static struct weft_signal records[RECORDS];
static _Atomic(struct weft_signal *) arrived;
atomic_bool weft_signals_arrived;

static struct weft_lock lock;
static struct weft_signal *held; /* blocked by all; oldest first */

/* The distinct masks in use. */
static struct {
    uint64_t mask;
    unsigned count;
} masks[MASKS];
static unsigned mask_kinds;
static _Atomic uint64_t kernel_mask;

struct weft_signal *weft_signal_take(const siginfo_t *info, struct coroutine *target)
{
    for (int i = 0; i < RECORDS; i++) {
        bool used = false;
        if (!atomic_load_explicit(&records[i].used, memory_order_relaxed) &&
            atomic_compare_exchange_strong(&records[i].used, &used, true)) {
            records[i].next = NULL;
            records[i].target = target;
            records[i].info = *info;
            return &records[i];
        }
    }
    return NULL;
}

void weft_signal_give(struct weft_signal *signal)
{
    atomic_store(&signal->used, false);
}

void weft_signal_arrive(struct weft_signal *signal)
{
    struct weft_signal *newest = atomic_load(&arrived);
    do
        signal->next = newest;
    while (!atomic_compare_exchange_weak(&arrived, &newest, signal));
    atomic_store(&weft_signals_arrived, true);
    weft_balance_wake_one();
}

static void append(struct weft_signal **list, struct weft_signal *signal)
{
    while (*list)
        list = &(*list)->next;
    signal->next = NULL;
    *list = signal;
}

static bool queued(const struct weft_signal *list, const struct weft_signal *signal)
{
    for (; list; list = list->next)
        if (list->info.si_signo == signal->info.si_signo)
            return true;
    return false;
}

/* Standard signals do not queue; real-time signals do. */
static void append_once(struct weft_signal **list, struct weft_signal *signal)
{
    if (signal->info.si_signo < 32 && queued(*list, signal))
        weft_signal_give(signal);
    else
        append(list, signal);
}

struct search {
    uint64_t bit;
    struct coroutine *found, *main;
};

static void consider(struct coroutine *coroutine, void *argument)
{
    struct search *search = argument;
    if (coroutine->signal_mask & search->bit || coroutine->state == WEFT_DEAD)
        return;
    if (!search->found || coroutine->index == 0)
        search->found = coroutine;
}

/* The main thread when it can have it, as the kernel prefers; else anyone. */
static struct coroutine *eligible(int number)
{
    struct search search = {.bit = weft_signal_bit(number)};
    weft_coroutine_each(consider, &search);
    return search.found;
}

void weft_signals_distribute(struct processor *processor)
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
        oldest = oldest->next;
        int number = signal->info.si_signo;
        struct coroutine *target = signal->target ? signal->target : eligible(number);
        weft_lock_acquire(&lock);
        append_once(target ? &target->signals : &held, signal);
        weft_lock_release(&lock);
        if (!target || target->signal_mask & weft_signal_bit(number))
            continue;
        __atomic_store_n(&target->signal_due, 1, __ATOMIC_SEQ_CST);
        weft_interrupt(processor, target);
    }
}

static struct weft_signal *take_from(struct weft_signal **list, uint64_t set)
{
    for (; *list; list = &(*list)->next)
        if (weft_signal_bit((*list)->info.si_signo) & set) {
            struct weft_signal *signal = *list;
            *list = signal->next;
            return signal;
        }
    return NULL;
}

struct weft_signal *weft_signal_next(struct coroutine *self, uint64_t set)
{
    weft_lock_acquire(&lock);
    struct weft_signal *signal = take_from(&self->signals, set);
    if (!signal)
        signal = take_from(&held, set);
    weft_lock_release(&lock);
    return signal;
}

uint64_t weft_signals_pending(struct coroutine *self)
{
    uint64_t set = 0;
    weft_lock_acquire(&lock);
    for (struct weft_signal *signal = self->signals; signal; signal = signal->next)
        set |= weft_signal_bit(signal->info.si_signo);
    for (struct weft_signal *signal = held; signal; signal = signal->next)
        set |= weft_signal_bit(signal->info.si_signo);
    weft_lock_release(&lock);
    return set;
}

static bool internal(uint64_t mask)
{
    return mask & weft_signal_bit(CANCEL);
}

/* With the lock held. */
static void apply(void)
{
    uint64_t common = ~UINT64_C(0);
    unsigned kinds = 0;
    for (unsigned i = 0; i < mask_kinds; i++)
        if (masks[i].count) {
            common &= masks[i].mask;
            masks[kinds++] = masks[i];
        }
    mask_kinds = kinds;
    if (kinds == 0 || common == atomic_load(&kernel_mask))
        return;
    atomic_store(&kernel_mask, common);
    /* This kernel thread at once; others when they next come by (weft_carrier_run). */
    weft_raw4(SYS_rt_sigprocmask, SIG_SETMASK, (long)&kernel_mask, 0, sizeof kernel_mask);
}

/* Returns true when a kind of mask came or went. */
static bool count(uint64_t mask, int change)
{
    for (unsigned i = 0; i < mask_kinds; i++)
        if (masks[i].mask == mask) {
            masks[i].count += (unsigned)change;
            return masks[i].count == 0 || (change > 0 && masks[i].count == 1);
        }
    if (change < 0)
        return false;
    weft_check(mask_kinds < MASKS);
    masks[mask_kinds].mask = mask;
    masks[mask_kinds++].count = 1;
    return true;
}

void weft_signal_mask_set(struct coroutine *self, uint64_t mask)
{
    uint64_t old = self->signal_mask;
    if (mask == old)
        return;
    self->signal_mask = mask;
    if (old & ~mask && (self->signals || held))
        self->signal_due = 1;
    uint64_t counted = internal(mask) ? self->signal_mask_counted : mask;
    if (counted == self->signal_mask_counted)
        return;
    weft_lock_acquire(&lock);
    bool changed = count(self->signal_mask_counted, -1);
    changed |= count(counted, 1);
    self->signal_mask_counted = counted;
    if (changed)
        apply();
    weft_lock_release(&lock);
}

void weft_signal_mask_begin(struct coroutine *coroutine, uint64_t mask)
{
    coroutine->signal_mask = mask;
    coroutine->signal_mask_counted = internal(mask) ? weft_current->signal_mask_counted : mask;
    weft_lock_acquire(&lock);
    if (count(coroutine->signal_mask_counted, 1))
        apply();
    weft_lock_release(&lock);
}

void weft_signal_mask_end(struct coroutine *coroutine)
{
    weft_lock_acquire(&lock);
    struct weft_signal *signal;
    while ((signal = take_from(&coroutine->signals, ~UINT64_C(0))))
        weft_signal_give(signal); /* directed at a thread that is no more */
    if (count(coroutine->signal_mask_counted, -1))
        apply();
    weft_lock_release(&lock);
}

uint64_t weft_signal_kernel_mask(void)
{
    return atomic_load(&kernel_mask);
}

void weft_signals_restart(struct coroutine *self)
{
    lock = (struct weft_lock){0};
    for (int i = 0; i < RECORDS; i++)
        atomic_store(&records[i].used, false);
    atomic_store(&arrived, NULL);
    atomic_store(&weft_signals_arrived, false);
    held = self->signals = NULL;
    masks[0].mask = self->signal_mask_counted;
    masks[0].count = mask_kinds = 1;
    apply();
}
