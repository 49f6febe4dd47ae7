/* SPDX-License-Identifier: MIT */
/*
 * A lock for core/: held by a kernel thread for some tens of instructions, never while it enters
 * the kernel for anything but this lock. It belongs to nobody in particular, so a coroutine may take
 * it and the context that it switches to may release it (see park.h). A waiter spins shortly and then
 * sleeps in a kernel futex; the kernel's queue is fair enough for holders this short.
 * Algorithm: Drepper, "Futexes Are Tricky", mutex 2 (states free, held, held with sleepers).
 */
#ifndef WEFT_CORE_LOCK_H
#define WEFT_CORE_LOCK_H

#include <stdatomic.h>
#include <stdbool.h>

struct weft_lock {
    atomic_uint state; /* 0 free, 1 held, 2 held and somebody sleeps */
};

/* One that many kernel threads want at a time: not in a cache line with what others read meanwhile. */
struct weft_busy_lock {
    _Alignas(64) struct weft_lock lock;
};

void weft_lock_wait(struct weft_lock *lock);
void weft_lock_wake(struct weft_lock *lock);

static inline void weft_lock_acquire(struct weft_lock *lock)
{
    unsigned free = 0;
    if (!atomic_compare_exchange_strong_explicit(&lock->state, &free, 1, memory_order_acquire,
                                                 memory_order_relaxed))
        weft_lock_wait(lock);
}

static inline bool weft_lock_try(struct weft_lock *lock)
{
    unsigned free = 0;
    return atomic_compare_exchange_strong_explicit(&lock->state, &free, 1, memory_order_acquire,
                                                   memory_order_relaxed);
}

static inline void weft_lock_release(struct weft_lock *lock)
{
    if (atomic_exchange_explicit(&lock->state, 0, memory_order_release) == 2)
        weft_lock_wake(lock);
}

/* For `after` of a switch. */
static inline void weft_lock_release_after(void *lock)
{
    weft_lock_release(lock);
}

#endif
