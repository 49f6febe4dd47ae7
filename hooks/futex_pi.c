/* SPDX-License-Identifier: MIT */
/*
 * Priority-inheritance locks in memory that other processes map.
 *
 * The kernel's own operations are of no use: they look for a kernel thread with the id in the word, and a
 * coroutine is none. So the word keeps the kernel's format, but who must wait does so by a plain wait of the
 * kernel's, and an unlock wakes one. That is right between processes under weft; a native one takes part as
 * long as nobody waits.
 *
 * A woken one takes the lock with FUTEX_WAITERS set, for it does not know whether others wait.
 */
#include "futex_pi.h"

#include <errno.h>
#include <linux/futex.h>

#include "../core/futex.h"
#include "block.h"

long weft_futex_lock_pi_shared(const struct weft_call *call, bool realtime, bool try_only)
{
    uint32_t *address = (uint32_t *)call->arguments[0], id = (uint32_t)weft_current->tid, assumed = 0;
    for (;;) {
        uint32_t word = __atomic_load_n(address, __ATOMIC_SEQ_CST), owner = word & FUTEX_TID_MASK;
        if (owner == id)
            return -EDEADLK;
        if (owner && try_only)
            return -EAGAIN;
        uint32_t desired = owner ? word | FUTEX_WAITERS : word | id | assumed;
        if (!__atomic_compare_exchange_n(address, &word, desired, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
            continue;
        if (!owner)
            return 0;
        struct weft_call wait = *call;
        wait.arguments[1] = FUTEX_WAIT_BITSET | (realtime ? FUTEX_CLOCK_REALTIME : 0);
        wait.arguments[2] = (long)desired;
        wait.arguments[5] = (long)WEFT_FUTEX_ANY;
        long result = weft_block_in_kernel(&wait);
        if (result != 0 && result != -EAGAIN)
            return result;
        assumed = FUTEX_WAITERS;
    }
}

long weft_futex_unlock_pi_shared(uint32_t *address)
{
    if ((__atomic_load_n(address, __ATOMIC_SEQ_CST) & FUTEX_TID_MASK) != (uint32_t)weft_current->tid)
        return -EPERM;
    if (__atomic_exchange_n(address, 0, __ATOMIC_SEQ_CST) & FUTEX_WAITERS)
        weft_raw3(SYS_futex, (long)address, FUTEX_WAKE, 1);
    return 0;
}
