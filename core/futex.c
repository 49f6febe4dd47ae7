/* SPDX-License-Identifier: MIT */
/*
 * Futex queues.
 *
 * Rules:
 *  1. A bucket's lock protects its list and the futex fields of the coroutines in it. The value is compared
 *     with the lock held, and a waker changes the value before it takes the lock: so no wake is lost.
 *  2. Being in the list is the claim (step 6 of parking): whoever takes a waiter out readies it. Of one in
 *     many lists futex_many.c tells more.
 *  3. Two buckets are locked in the order of their addresses.
 *  4. The lock is released by the context that the waiter switches to (step 5).
 *  5. Nobody enters core while holding a bucket's lock, for entering may wait; so those who ready do enter
 *     first. A wake that finds an empty bucket does not wait for that.
 *  6. Those who wait for one address stand together in the list, in the order of their priorities and their
 *     coming: a group. The
 *     first of a group knows the last, so looking for an address goes from group to group, and nobody is
 *     looked at who waits for another address that somebody waits for as well. There are at most 2^21
 *     coroutines, so at most 8 groups in a bucket on average.
 */
#include "futex.h"

#include <errno.h>
#include <linux/futex.h>
#include <stddef.h>

#include "balance.h"
#include "futex_internal.h"
#include "priority.h"
#include "raw.h"

enum {
    /* A waiter that was woken so often in a row and had to wait for the same word again is barged: whoever
     * woke it took the lock again before it ran. Its next waker steps aside. (With kernel threads chance
     * sees to that; here nothing is left to chance.) */
    BARGED_LIMIT = 8,
    LOCKED_WITH_WAITERS = 2, /* what glibc's locks say when somebody is about to wait */
    SPIN_CYCLES = 2000
};

/* What a hand-over is made of: one function instead of a chain of small ones, 3 ns less of some 125. */
#define FLAT __attribute__((flatten))

struct bucket weft_futex_buckets[WEFT_FUTEX_BUCKETS];
atomic_uint weft_futexes_in_kernel;

static struct weft_futex_waiter *waiter_at(struct weft_list *node)
{
    return weft_container(node, struct weft_futex_waiter, node);
}

static uint8_t priority_of(struct weft_list *node)
{
    return weft_futex_coroutine(waiter_at(node))->priority;
}

struct weft_futex_waiter *weft_futex_group(struct bucket *bucket, const uint32_t *address)
{
    struct weft_list *node = bucket->list.next;
    while (node != &bucket->list) {
        struct weft_futex_waiter *first = waiter_at(node);
        if (first->address == address)
            return first;
        node = first->last->node.next;
    }
    return NULL;
}

/* Those with priorities stand before those that came earlier and have lower ones. */
static void insert_by_priority(struct weft_futex_waiter *first, struct weft_futex_waiter *waiter)
{
    struct weft_list *behind = &first->node, *end = first->last->node.next;
    while (behind != end && priority_of(behind) >= priority_of(&waiter->node))
        behind = behind->next;
    weft_list_append(behind, &waiter->node);
    if (behind == &first->node)
        waiter->last = first->last;
    else if (behind == end)
        first->last = waiter;
}

/* The address stands before the node is linked: see weft_futex_leave. */
static void insert(struct bucket *bucket, struct weft_futex_waiter *waiter, uint32_t *address)
{
    struct weft_futex_waiter *first = weft_futex_group(bucket, address);
    __atomic_store_n(&waiter->address, address, __ATOMIC_RELAXED);
    atomic_thread_fence(memory_order_release);
    if (__builtin_expect(priority_of(&waiter->node) && first, 0)) {
        insert_by_priority(first, waiter);
    } else if (first) {
        /* Appending to what stands behind the last puts it right behind the last. */
        weft_list_append(first->last->node.next, &waiter->node);
        first->last = waiter;
    } else {
        weft_list_append(&bucket->list, &waiter->node);
        waiter->last = waiter;
    }
}

void weft_futex_insert(struct bucket *bucket, struct weft_futex_waiter *waiter, uint32_t *address)
{
    insert(bucket, waiter, address);
}

static void take_out(struct bucket *bucket, struct weft_futex_waiter *waiter)
{
    struct weft_list *before = waiter->node.previous, *behind = waiter->node.next;
    uint32_t *address = waiter->address;
    bool is_first = before == &bucket->list || waiter_at(before)->address != address;
    bool is_last = behind == &bucket->list || waiter_at(behind)->address != address;
    if (is_first && !is_last)
        waiter_at(behind)->last = waiter->last;
    else if (is_last && !is_first)
        weft_futex_group(bucket, address)->last = waiter_at(before);
    weft_list_remove(&waiter->node);
    weft_futex_count_out(bucket);
}

/* What stands in one of many lists may be another list's already: its coroutine takes it out soon. */
static bool claim(struct weft_futex_waiter *waiter, bool woken)
{
    struct weft_futex_many *many = waiter->many;
    int unclaimed = WEFT_FUTEX_UNCLAIMED;
    if (__builtin_expect(many == NULL, 1))
        return true;
    int index = waiter == &many->coroutine->futex ? 0 : (int)(waiter - many->others);
    return atomic_compare_exchange_strong(&many->claimed, &unclaimed, woken ? index : WEFT_FUTEX_ABANDONED);
}

static bool is_claimed(const struct weft_futex_waiter *waiter)
{
    return waiter->many && atomic_load(&waiter->many->claimed) != WEFT_FUTEX_UNCLAIMED;
}

/* `moves`: they are to wait elsewhere. */
static inline struct weft_futex_waiter *collect(struct bucket *bucket, const uint32_t *address, int count,
                                                uint32_t bitset, bool moves, long *collected)
{
    struct weft_futex_waiter *first = NULL, **link = &first, *waiter = weft_futex_group(bucket, address);
    while (waiter && *collected < count) {
        struct weft_list *behind = waiter->node.next;
        struct weft_futex_waiter *next = behind == &bucket->list ? NULL : waiter_at(behind);
        if (next && next->address != address)
            next = NULL;
        if (waiter->bitset & bitset && (moves ? !is_claimed(waiter) : claim(waiter, true))) {
            take_out(bucket, waiter);
            waiter->next = NULL;
            *link = waiter;
            link = &waiter->next;
            ++*collected;
        }
        waiter = next;
    }
    return first;
}

struct weft_futex_waiter *weft_futex_collect(struct bucket *bucket, const uint32_t *address, int count,
                                             uint32_t bitset, long *collected)
{
    return collect(bucket, address, count, bitset, false, collected);
}

void weft_futex_ready_chain(struct processor *here, struct weft_futex_waiter *first)
{
    while (first) {
        struct weft_futex_waiter *next = first->next;
        weft_ready_next(here, weft_futex_coroutine(first), 0);
        first = next;
    }
}

/*
 * The waiter may be moved by a requeue, or, when the caller is not its home, may be about to wait elsewhere.
 * If it is linked, and its address is that of the bucket whose lock we hold, then it is in that bucket: an
 * address changes with the locks of both buckets held, or before the node is linked with the lock of the new
 * one.
 */
bool weft_futex_leave(struct weft_futex_waiter *waiter, bool claims)
{
    for (;;) {
        uint32_t *address = __atomic_load_n(&waiter->address, __ATOMIC_RELAXED);
        struct bucket *bucket = bucket_of(address);
        bucket_lock(bucket);
        bool linked = __atomic_load_n(&waiter->node.next, __ATOMIC_ACQUIRE) != &waiter->node;
        bool here = __atomic_load_n(&waiter->address, __ATOMIC_RELAXED) == address;
        bool leaves = linked && here && (!claims || claim(waiter, false));
        if (leaves)
            take_out(bucket, waiter);
        weft_lock_release(&bucket->lock);
        if (here) /* else it is being moved, and perhaps in no list at the moment */
            return leaves;
    }
}

bool weft_futex_abandon(struct coroutine *waiter)
{
    return weft_futex_leave(&waiter->futex, true);
}

void weft_futex_announce(struct coroutine *self, struct processor *processor, struct bucket *bucket,
                         int64_t deadline)
{
    weft_park_announce(self, deadline == WEFT_NEVER ? NULL : processor, weft_futex_abandon);
    weft_hint_set(self->state, WEFT_PARKED);
    weft_futex_count_in(bucket);
}

static void take_back(struct coroutine *self, struct bucket *bucket)
{
    weft_futex_count_out(bucket);
    weft_lock_release(&bucket->lock);
    weft_park_give_up(self);
}

long weft_futex_wait_in(struct coroutine *self, struct processor *processor, struct bucket *bucket,
                        uint32_t *address, uint32_t bitset, int64_t deadline, enum weft_reason reason)
{
    self->futex.bitset = bitset;
    long result = weft_deadline_start(self, processor, deadline);
    if (result != 0) {
        take_back(self, bucket);
        return result;
    }
    insert(bucket, &self->futex, address);
    result = weft_park_announced(self, reason, weft_lock_release_after, &bucket->lock);
    self->futex_wakes = result == 0 && self->futex_woken_at == address ? self->futex_wakes + 1 : 0;
    self->futex_woken_at = address;
    return result;
}

/*
 * A lock whose holder runs on another processor is mostly free again before this one could do anything else,
 * and who is woken runs where his waker does: parking would move him there, and leave this processor idle. So
 * when nothing else is ready here, and only then, he waits for a moment. Returns true when the word changed.
 */
__attribute__((noinline)) static bool spin(const struct processor *here, const uint32_t *address,
                                           uint32_t expected)
{
    uint64_t begin = __builtin_ia32_rdtsc();
    while (__atomic_load_n(address, __ATOMIC_RELAXED) == expected) {
        if (weft_processor_busy(here) || __builtin_ia32_rdtsc() - begin > SPIN_CYCLES)
            return false;
        __builtin_ia32_pause();
    }
    return true;
}

static inline bool holder_may_run(const struct processor *here, uint32_t expected)
{
    return expected == LOCKED_WITH_WAITERS && weft_processor_count > 1 && !weft_processor_busy(here) &&
           atomic_load_explicit(&weft_idle_processors, memory_order_relaxed) + 1 < weft_processor_count;
}

FLAT long weft_futex_wait(struct coroutine *self, uint32_t *address, uint32_t expected, uint32_t bitset,
                          int64_t deadline, enum weft_reason reason)
{
    if (holder_may_run(self->carrier->processor, expected) &&
        spin(self->carrier->processor, address, expected))
        return -EAGAIN;
    struct bucket *bucket = bucket_of(address);
    struct processor *processor = weft_core_enter(self);
    bucket_lock(bucket);
    weft_futex_announce(self, processor, bucket, deadline);
    bool same = __atomic_load_n(address, __ATOMIC_SEQ_CST) == expected;
    long result;
    if (same && deadline > 0) {
        result = weft_futex_wait_in(self, processor, bucket, address, bitset, deadline, reason);
    } else {
        take_back(self, bucket);
        result = same ? -ETIMEDOUT : -EAGAIN;
    }
    weft_core_leave(self);
    return result;
}

__attribute__((noinline)) static long wake_in_kernel(uint32_t *address, int count, uint32_t bitset)
{
    long woken = weft_raw6(SYS_futex, (long)address, FUTEX_WAKE_BITSET_PRIVATE, count, 0, 0, bitset);
    return woken > 0 ? woken : 0;
}

static inline bool some_in_kernel(void)
{
    return __builtin_expect(atomic_load_explicit(&weft_futexes_in_kernel, memory_order_relaxed) != 0, 0);
}

long weft_futex_wake_in_core(struct processor *here, uint32_t *address, int count, uint32_t bitset)
{
    struct bucket *bucket = bucket_of(address);
    long woken = 0;
    bucket_lock(bucket);
    struct weft_futex_waiter *first = weft_futex_collect(bucket, address, count, bitset, &woken);
    weft_lock_release(&bucket->lock);
    weft_futex_ready_chain(here, first);
    if (some_in_kernel() && woken < count)
        woken += wake_in_kernel(address, count - (int)woken, bitset);
    return woken;
}

long weft_futex_wake_changed(struct processor *here, uint32_t *address, int count, uint32_t bitset)
{
    if (atomic_load(&bucket_of(address)->waiters) == 0 && !some_in_kernel())
        return 0;
    return weft_futex_wake_in_core(here, address, count, bitset);
}

FLAT long weft_futex_wake(struct coroutine *self, uint32_t *address, int count, uint32_t bitset)
{
    /* Between the caller's store to the word and this load is a full barrier, as between the waiter's count
     * and its load of the word: one of the two sees the other. Entering is one, at no further cost. */
    struct processor *processor = weft_core_enter_at_once(self);
    if (!processor)
        atomic_thread_fence(memory_order_seq_cst);
    if (atomic_load(&bucket_of(address)->waiters) == 0) {
        if (processor)
            weft_core_leave(self);
        return some_in_kernel() ? wake_in_kernel(address, count, bitset) : 0;
    }
    if (!processor)
        processor = weft_core_enter(self);
    long woken = weft_futex_wake_in_core(processor, address, count, bitset);
    bool barged = woken == 1 && processor->run_next && processor->run_next->futex_wakes >= BARGED_LIMIT &&
                  processor->run_next->futex_woken_at == address;
    if (barged)
        processor->run_next->futex_wakes = 0;
    weft_priority_give_way(self, processor);
    weft_core_leave(self);
    if (barged)
        weft_yield(self);
    return woken;
}

long weft_futex_requeue(struct coroutine *self, uint32_t *from, int wake, int move, uint32_t *to,
                        const uint32_t *compare)
{
    struct bucket *source = bucket_of(from), *target = bucket_of(to);
    struct processor *processor = weft_core_enter(self);
    bucket_lock_two(source, target);
    long woken = 0, moved = 0;
    struct weft_futex_waiter *first = NULL;
    bool changed = compare && __atomic_load_n(from, __ATOMIC_SEQ_CST) != *compare;
    if (!changed) {
        first = weft_futex_collect(source, from, wake, WEFT_FUTEX_ANY, &woken);
        struct weft_futex_waiter *chain =
            from == to ? NULL : collect(source, from, move, WEFT_FUTEX_ANY, true, &moved);
        while (chain) {
            struct weft_futex_waiter *next = chain->next;
            weft_futex_count_in(target);
            insert(target, chain, to);
            chain = next;
        }
    }
    bucket_unlock_two(source, target);
    weft_futex_ready_chain(processor, first);
    weft_priority_give_way(self, processor);
    weft_core_leave(self);
    return changed ? -EAGAIN : woken + moved;
}

void weft_futex_forget(struct coroutine *waiter)
{
    if (!weft_list_empty(&waiter->futex.node))
        *bucket_of(waiter->futex.address) = (struct bucket){0};
    if (waiter->futex.many)
        weft_futex_forget_many(waiter->futex.many);
}
