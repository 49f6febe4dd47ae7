/* SPDX-License-Identifier: MIT */
/*
 * Futex queues between coroutines: waiters by address, in the order in which they came;
 * those with real-time priorities (priority.h) stand before those of lower ones.
 *
 * Addresses are hashed to buckets; a waiter is a part of struct coroutine, so waiting for one word allocates
 * nothing.
 * `self` is the running coroutine, not in core; results are those of futex(2).
 */
#ifndef WEFT_CORE_FUTEX_H
#define WEFT_CORE_FUTEX_H

#include "coroutine.h"

#define WEFT_FUTEX_ANY 0xffffffffu /* FUTEX_BITSET_MATCH_ANY */

/*
 * Parks while *address == expected until a wake that matches `bitset`, at most until `deadline`
 * (CLOCK_MONOTONIC ns, or WEFT_NEVER). Returns 0, -EAGAIN (another value), -ETIMEDOUT, -EINTR or -ENOMEM.
 */
long weft_futex_wait(struct coroutine *self, uint32_t *address, uint32_t expected, uint32_t bitset,
                     int64_t deadline, enum weft_reason reason);

/* A wait for several words; `words` is the caller's to fill, and is not kept. */
enum { WEFT_FUTEX_WORDS = 128 /* FUTEX_WAITV_MAX */ };
struct weft_futex_word {
    uint32_t *address;
    uint32_t value;
};
struct weft_futex_many;
struct weft_futex_many *weft_futex_many_take(void); /* NULL: no memory */
void weft_futex_many_give(struct weft_futex_many *many);
struct weft_futex_word *weft_futex_many_words(struct weft_futex_many *many);

/*
 * Parks while each of the first `count` words has its value, until a wake at one of them; a wake counts him
 * once. Returns the index of that word, or the errors of weft_futex_wait.
 */
long weft_futex_wait_many(struct coroutine *self, struct weft_futex_many *many, unsigned count,
                          int64_t deadline);

/* Readies up to `count` waiters, in their order; returns how many. */
long weft_futex_wake(struct coroutine *self, uint32_t *address, int count, uint32_t bitset);

/* The same from inside core, on `here` (step 5 of a switch, a carrier). */
long weft_futex_wake_in_core(struct processor *here, uint32_t *address, int count, uint32_t bitset);

/* The same for who has just changed the word, with a full barrier behind that: without the bucket's lock when
 * nobody waits there. */
long weft_futex_wake_changed(struct processor *here, uint32_t *address, int count, uint32_t bitset);

/*
 * Private futexes that somebody waits for in the kernel, or may: a child that shares our memory, and who
 * began to wait while there was one. As long as it is not 0 a wake that finds too few waiters here goes to
 * the kernel, too.
 */
extern atomic_uint weft_futexes_in_kernel;

/* FUTEX_REQUEUE and, when `compare` is not NULL, FUTEX_CMP_REQUEUE (-EAGAIN if *from != *compare). */
long weft_futex_requeue(struct coroutine *self, uint32_t *from, int wake, int move, uint32_t *to,
                        const uint32_t *compare);

/* FUTEX_WAKE_OP: `operation` as encoded by FUTEX_OP. */
long weft_futex_wake_op(struct coroutine *self, uint32_t *first, int wake_first, int wake_second,
                        uint32_t *second, uint32_t operation);

/*
 * Priority-inheritance locks, by the kernel's rules for the word (owner's id, FUTEX_WAITERS,
 * FUTEX_OWNER_DIED) but without boosting: a priority is not inherited.
 */
long weft_futex_lock_pi(struct coroutine *self, uint32_t *address, int64_t deadline, bool try_only);
long weft_futex_unlock_pi(struct coroutine *self, uint32_t *address);

/* What the kernel does with the robust list of a thread that ends: marks the locks that it holds and
 * wakes one waiter each. In core or not: `here` NULL wakes from outside. */
void weft_futex_release_robust(struct coroutine *self, struct processor *here);

/* Takes a waiter out of the queue that it is in, for a deadline or a signal. Returns false when it is in
 * none: then somebody else has claimed it, or it does not wait. In core or not. */
bool weft_futex_abandon(struct coroutine *waiter);

/* After a fork: `waiter` is gone, with everybody else who waits. */
void weft_futex_forget(struct coroutine *waiter);

#endif
