/* SPDX-License-Identifier: MIT */
/*
 * futex(2) between coroutines.
 *
 * A private futex is always ours. One that is not marked private is ours too when it lies in memory that no
 * other process can map (mapping.h): robust mutexes, and objects that are process-shared by their attribute
 * only. It is also ours as the thread id word that pthread_join waits for and that we clear at a thread's
 * end, wherever the stack lies. Any other may be woken by another process, so its wait belongs to the kernel;
 * its wakes go to both. So does a private one while a child shares our memory (shared_child.c).
 */
#include <errno.h>
#include <linux/futex.h>
#include <time.h>

#include "../core/futex.h"
#include "../core/timer.h"
#include "block.h"
#include "call.h"
#include "deadline.h"
#include "futex_pi.h"
#include "futex_words.h"
#include "hooks.h"
#include "mapping.h"
#include "shared_child.h"
#include "user.h"

bool weft_futex_is_thread_word(const uint32_t *address, uint32_t value)
{
    struct coroutine *coroutine = weft_coroutine_find((int)(value & FUTEX_TID_MASK));
    return coroutine && __atomic_load_n(&coroutine->clear_child_tid, __ATOMIC_RELAXED) == address;
}

struct word_search {
    const uint32_t *address;
    bool found;
};

static void compare_word(struct coroutine *coroutine, void *argument)
{
    struct word_search *search = argument;
    search->found |= __atomic_load_n(&coroutine->clear_child_tid, __ATOMIC_RELAXED) == search->address;
}

/* Whether a thread that lives clears the word at its end. From glibc 2.43 on it is not an id: it says how far
 * the end has come. Looks at all threads, so it is asked only where mapping.h does not know. */
static bool is_word_of_end(const uint32_t *address)
{
    struct word_search search = {.address = address};
    weft_coroutine_each(compare_word, &search);
    return search.found;
}

/* Whether FUTEX_CLOCK_REALTIME may be said with it; to others it is no call. */
static bool has_clock(int command)
{
    return command == FUTEX_WAIT_BITSET || command == FUTEX_WAIT_REQUEUE_PI || command == FUTEX_LOCK_PI2;
}

/* The clock of an absolute timeout. */
static bool is_realtime(int operation)
{
    return (operation & FUTEX_CMD_MASK) == FUTEX_LOCK_PI || (operation & FUTEX_CLOCK_REALTIME) != 0;
}

/* The deadline of a wait in ns of CLOCK_MONOTONIC. Returns 0, or an error when the timeout is no time. */
static long deadline_of(const struct weft_call *call, int operation, int64_t *deadline)
{
    const struct timespec *timeout = (const struct timespec *)call->arguments[3];
    struct timespec time;
    *deadline = WEFT_NEVER;
    if (!timeout)
        return 0;
    if (!weft_user_read(&time, timeout, sizeof time))
        return -EFAULT;
    if (!weft_timespec_valid(&time))
        return -EINVAL;
    bool relative = (operation & FUTEX_CMD_MASK) == FUTEX_WAIT;
    *deadline = weft_deadline_from(&time, relative                 ? -1
                                          : is_realtime(operation) ? CLOCK_REALTIME
                                                                   : CLOCK_MONOTONIC);
    return 0;
}

/* Of an operation on two words: a waiter cannot move from our queue to the kernel's. */
static bool is_ours(const struct weft_call *call, bool private)
{
    return private || (weft_mapping_is_own((void *)call->arguments[0]) &&
                       weft_mapping_is_own((void *)call->arguments[4]));
}

static bool requeues_nonsense(uint32_t wake, int move, const uint32_t *to)
{
    return (int)wake < 0 || move < 0 || (uintptr_t)to & 3;
}

/* The kernel wakes one even when asked for none. */
static int at_least_one(uint32_t count)
{
    return (int)count > 0 ? (int)count : 1;
}

long weft_futex_wake_both(struct coroutine *self, uint32_t *address, int operation, int count,
                          uint32_t bitset)
{
    long woken = weft_futex_wake(self, address, count, bitset);
    if (operation & FUTEX_PRIVATE_FLAG || woken == count)
        return woken;
    long more = weft_raw6(SYS_futex, (long)address, operation, count - woken, 0, 0, bitset);
    return more < 0 ? (woken ? woken : more) : woken + more;
}

long weft_futex_block_in_kernel(const struct weft_call *call)
{
    atomic_fetch_add(&weft_futexes_in_kernel, 1);
    long result = weft_block_in_kernel(call);
    atomic_fetch_sub(&weft_futexes_in_kernel, 1);
    return result;
}

/* `address` can be a futex's. */
__attribute__((noinline)) static long rarer(struct weft_call *call, struct coroutine *self, uint32_t *address)
{
    int operation = (int)call->arguments[1];
    uint32_t value = (uint32_t)call->arguments[2];
    int limit = (int)(long)call->arguments[3];
    uint32_t *second = (uint32_t *)call->arguments[4];
    uint32_t third = (uint32_t)call->arguments[5];
    bool private = operation & FUTEX_PRIVATE_FLAG;
    bool tries = (operation & FUTEX_CMD_MASK) == FUTEX_TRYLOCK_PI;
    int64_t deadline = WEFT_NEVER;
    long result;

    if (operation & FUTEX_CLOCK_REALTIME && !has_clock(operation & FUTEX_CMD_MASK))
        return weft_call_raw(call);
    switch (operation & FUTEX_CMD_MASK) {
    case FUTEX_WAIT:
        third = WEFT_FUTEX_ANY; /* fall through */
    case FUTEX_WAIT_BITSET: {
        bool join = !private && weft_futex_is_thread_word(address, value);
        if (!private && !join && !weft_mapping_is_own(address) && !(join = is_word_of_end(address)))
            return weft_block_in_kernel(call);
        if ((result = deadline_of(call, operation, &deadline)) != 0)
            return result;
        if (third == 0)
            return -EINVAL;
        return weft_futex_wait(self, address, value, third, deadline,
                               join ? WEFT_REASON_JOIN : WEFT_REASON_FUTEX);
    }
    case FUTEX_WAKE:
        third = WEFT_FUTEX_ANY; /* fall through */
    case FUTEX_WAKE_BITSET:
        if (third == 0)
            return -EINVAL;
        return weft_futex_wake_both(self, address, operation, at_least_one(value), third);
    case FUTEX_REQUEUE:
        if (requeues_nonsense(value, limit, second))
            return -EINVAL;
        return is_ours(call, private) ? weft_futex_requeue(self, address, (int)value, limit, second, NULL)
                                      : weft_call_raw(call);
    case FUTEX_CMP_REQUEUE:
        if (requeues_nonsense(value, limit, second))
            return -EINVAL;
        return is_ours(call, private) ? weft_futex_requeue(self, address, (int)value, limit, second, &third)
                                      : weft_call_raw(call);
    case FUTEX_WAKE_OP:
        return is_ours(call, private) ? weft_futex_wake_op(self, address, (int)value, limit, second, third)
                                      : weft_call_raw(call);
    case FUTEX_LOCK_PI:
    case FUTEX_LOCK_PI2:
    case FUTEX_TRYLOCK_PI:
        if (!tries && (result = deadline_of(call, operation, &deadline)) != 0)
            return result;
        if (!private && !weft_mapping_is_own(address))
            return weft_futex_lock_pi_shared(call, is_realtime(operation), tries);
        return weft_futex_lock_pi(self, address, deadline, tries);
    case FUTEX_UNLOCK_PI:
        if (!private && !weft_mapping_is_own(address))
            return weft_futex_unlock_pi_shared(address);
        return weft_futex_unlock_pi(self, address);
    default:
        return weft_call_raw(call);
    }
}

/* A child shares our memory, or has: who waits for a private futex does so where it can wake him. */
__attribute__((noinline)) static long beside_child(struct weft_call *call, struct coroutine *self,
                                                   uint32_t *address)
{
    int operation = (int)call->arguments[1], command = operation & FUTEX_CMD_MASK;
    bool waits = command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET;
    if (!waits || !(operation & FUTEX_PRIVATE_FLAG) || !weft_child_shares_stack())
        return rarer(call, self, address);
    return weft_futex_block_in_kernel(call);
}

/* Waits without a limit and wakes of private futexes, which is what a hand-over consists of, are told apart
 * first: with the rest in one function they cost 12 ns more, of some 135. */
WEFT_HOOK(futex)
{
    struct coroutine *self = weft_current;
    uint32_t *address = (uint32_t *)call->arguments[0];
    int operation = (int)call->arguments[1];
    uint32_t value = (uint32_t)call->arguments[2];
    const void *timeout = (const void *)call->arguments[3];
    uint32_t bitset = (uint32_t)call->arguments[5];

    if (((uintptr_t)address & 3) || address == NULL)
        return weft_call_raw(call);
    if (__builtin_expect(atomic_load_explicit(&weft_futexes_in_kernel, memory_order_relaxed) != 0, 0))
        return beside_child(call, self, address);
    if (operation == FUTEX_WAKE_PRIVATE)
        return weft_futex_wake(self, address, at_least_one(value), WEFT_FUTEX_ANY);
    /* Whatever the clock of the timeout. */
    if ((operation & ~FUTEX_CLOCK_REALTIME) == FUTEX_WAIT_BITSET_PRIVATE && !timeout && bitset)
        return weft_futex_wait(self, address, value, bitset, WEFT_NEVER, WEFT_REASON_FUTEX);
    if (operation == FUTEX_WAIT_PRIVATE && !timeout)
        return weft_futex_wait(self, address, value, WEFT_FUTEX_ANY, WEFT_NEVER, WEFT_REASON_FUTEX);
    return rarer(call, self, address);
}
