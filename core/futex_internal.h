/* SPDX-License-Identifier: MIT */
/* The buckets, for the files futex*.c; the rules stand in futex.c. */
#ifndef WEFT_CORE_FUTEX_INTERNAL_H
#define WEFT_CORE_FUTEX_INTERNAL_H

#include "futex.h"
#include "lock.h"
#include "park.h"

enum { WEFT_FUTEX_BUCKET_BITS = 18, WEFT_FUTEX_BUCKETS = 1 << WEFT_FUTEX_BUCKET_BITS };

struct bucket {
    struct weft_lock lock;
    atomic_uint waiters;   /* length of the list, readable without the lock */
    struct weft_list list; /* of struct weft_futex_waiter; all zero while it was never used */
};

extern struct bucket weft_futex_buckets[WEFT_FUTEX_BUCKETS];

static inline struct bucket *bucket_of(const uint32_t *address)
{
    uint64_t hash = ((uintptr_t)address >> 2) * UINT64_C(0x9e3779b97f4a7c15);
    return &weft_futex_buckets[hash >> (64 - WEFT_FUTEX_BUCKET_BITS)];
}

static inline void bucket_lock(struct bucket *bucket)
{
    weft_lock_acquire(&bucket->lock);
    if (!bucket->list.next)
        weft_list_init(&bucket->list);
}

/* Rule 3. */
static inline void bucket_lock_two(struct bucket *a, struct bucket *b)
{
    bucket_lock(a < b ? a : b);
    if (a != b)
        bucket_lock(a < b ? b : a);
}

static inline void bucket_unlock_two(struct bucket *a, struct bucket *b)
{
    weft_lock_release(&a->lock);
    if (a != b)
        weft_lock_release(&b->lock);
}

/* A wait for many words. Its first waiter is the coroutine's own. */
struct weft_futex_many {
    struct coroutine *coroutine;
    atomic_int
        claimed; /* WEFT_FUTEX_UNCLAIMED, WEFT_FUTEX_ABANDONED, or the index of the word that was woken */
    unsigned count;
    uint8_t order[WEFT_FUTEX_WORDS]; /* the words by their buckets' addresses */
    struct weft_futex_word words[WEFT_FUTEX_WORDS];
    struct weft_futex_waiter others[WEFT_FUTEX_WORDS]; /* the first is not used */
};

enum { WEFT_FUTEX_UNCLAIMED = -1, WEFT_FUTEX_ABANDONED = -2 };

static inline struct coroutine *weft_futex_coroutine(struct weft_futex_waiter *waiter)
{
    return __builtin_expect(waiter->many != NULL, 0) ? waiter->many->coroutine
                                                     : weft_container(waiter, struct coroutine, futex);
}

/* Counts a waiter before it looks at the word: a waker that then finds none has come too early for it. A full
 * barrier. */
static inline void weft_futex_count_in(struct bucket *bucket)
{
    atomic_fetch_add(&bucket->waiters, 1);
}

/* Only who holds the lock changes the count. */
static inline void weft_futex_count_out(struct bucket *bucket)
{
    unsigned waiters = atomic_load_explicit(&bucket->waiters, memory_order_relaxed);
    atomic_store_explicit(&bucket->waiters, waiters - 1, memory_order_relaxed);
}

/* Puts a counted waiter into the list of the locked bucket. */
void weft_futex_insert(struct bucket *bucket, struct weft_futex_waiter *waiter, uint32_t *address);

/* Takes the waiter out of the queue that it is in, and when it `claims` only if it is the one that ends the
 * wait. Returns whether it has. */
bool weft_futex_leave(struct weft_futex_waiter *waiter, bool claims);

/* After a fork: whoever waits so is gone. */
void weft_futex_forget_many(struct weft_futex_many *many);

/* The first of those who wait for the address in the locked bucket, or NULL. */
struct weft_futex_waiter *weft_futex_group(struct bucket *bucket, const uint32_t *address);

/* Takes up to `count` matching waiters out of the locked bucket, as a chain through `next`. */
struct weft_futex_waiter *weft_futex_collect(struct bucket *bucket, const uint32_t *address, int count,
                                             uint32_t bitset, long *collected);

/* Readies a chain. In core on `here` (NULL: a kernel thread without a processor), with no bucket locked. */
void weft_futex_ready_chain(struct processor *here, struct weft_futex_waiter *first);

/* With the bucket locked: `self` is about to wait in it. */
void weft_futex_announce(struct coroutine *self, struct processor *processor, struct bucket *bucket,
                         int64_t deadline);

/* Parks in the locked bucket, in which the caller is announced, and releases it; unless there is no memory
 * for the deadline, which takes the announcement back. In core, on return too. */
long weft_futex_wait_in(struct coroutine *self, struct processor *processor, struct bucket *bucket,
                        uint32_t *address, uint32_t bitset, int64_t deadline, enum weft_reason reason);

#endif
