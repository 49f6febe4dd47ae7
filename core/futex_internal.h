/* SPDX-License-Identifier: MIT */
/* The buckets, for futex.c and futex_owned.c; the rules stand in futex.c. */
#ifndef WEFT_CORE_FUTEX_INTERNAL_H
#define WEFT_CORE_FUTEX_INTERNAL_H

#include "futex.h"
#include "lock.h"
#include "park.h"

enum { WEFT_FUTEX_BUCKET_BITS = 18, WEFT_FUTEX_BUCKETS = 1 << WEFT_FUTEX_BUCKET_BITS };

struct bucket {
    struct weft_lock lock;
    atomic_uint waiters;   /* length of the list, readable without the lock */
    struct weft_list list; /* of futex_node; all zero while it was never used */
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

/* The first of those who wait for the address in the locked bucket, or NULL. */
struct coroutine *weft_futex_group(struct bucket *bucket, const uint32_t *address);

/* Takes up to `count` matching waiters out of the locked bucket, as a chain through `next`. */
struct coroutine *weft_futex_collect(struct bucket *bucket, const uint32_t *address, int count,
                                     uint32_t bitset, long *collected);

/* Readies a chain. In core on `here` (NULL: a kernel thread without a processor), with no bucket locked. */
void weft_futex_ready_chain(struct processor *here, struct coroutine *first);

/* With the bucket locked: `self` is about to wait in it. */
void weft_futex_announce(struct coroutine *self, struct processor *processor, struct bucket *bucket,
                         int64_t deadline);

/* Parks in the locked bucket, in which the caller is announced, and releases it; unless there is no memory
 * for the deadline, which takes the announcement back. In core, on return too. */
long weft_futex_wait_in(struct coroutine *self, struct processor *processor, struct bucket *bucket,
                        uint32_t *address, uint32_t bitset, int64_t deadline, enum weft_reason reason);

#endif
