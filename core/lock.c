/* SPDX-License-Identifier: MIT */
/* The slow halves of the lock. */
#include "lock.h"

#include <linux/futex.h>
#include <stddef.h>

#include "raw.h"

enum { SPINS = 100 };

void weft_lock_wait(struct weft_lock *lock)
{
    for (int i = 0; i < SPINS; i++) {
        unsigned free = 0;
        if (atomic_load_explicit(&lock->state, memory_order_relaxed) == 0 &&
            atomic_compare_exchange_weak_explicit(&lock->state, &free, 1, memory_order_acquire,
                                                  memory_order_relaxed))
            return;
        __builtin_ia32_pause();
    }
    while (atomic_exchange_explicit(&lock->state, 2, memory_order_acquire) != 0)
        weft_raw4(SYS_futex, (long)&lock->state, FUTEX_WAIT_PRIVATE, 2, 0);
}

void weft_lock_wake(struct weft_lock *lock)
{
    weft_raw3(SYS_futex, (long)&lock->state, FUTEX_WAKE_PRIVATE, 1);
}
