/* SPDX-License-Identifier: MIT */
/*
 * pthread_spin_lock: who spins without a system call keeps its processor from everybody else, among them
 * perhaps the coroutine that holds the lock. After some rounds it yields.
 *
 * How a lock looks is glibc's secret; it is only tried, by glibc's own pthread_spin_trylock.
 */
#include <pthread.h>
#include <sched.h>

#include "../core/coroutine.h"

#define EXPORTED __attribute__((visibility("default")))

enum { ROUNDS = 64 };

EXPORTED int pthread_spin_lock(pthread_spinlock_t *lock)
{
    for (unsigned round = 1; pthread_spin_trylock(lock) != 0; round++) {
        __builtin_ia32_pause();
        if (round % ROUNDS == 0 && weft_current)
            sched_yield(); /* libc's, which is ours */
    }
    return 0;
}
