/* SPDX-License-Identifier: MIT */
/*
 * futex_waitv(2), futex_wake(2), futex_wait(2) and futex_requeue(2), which meet those who wait by futex(2).
 *
 * Only sound calls on words that are ours (futex.c) are made here. The others are the kernel's: its errors
 * come in its order, and words with NUMA nodes are nobody else's. A wait for several words of which some are
 * not ours is one in the kernel, too, and counted: so wakes of ours reach it. It is counted before the kernel
 * looks at the words, and who wakes looks at the count after he has changed one; so he finds it, or it finds
 * the change.
 */
#include <errno.h>
#include <linux/futex.h>
#include <time.h>

#include "../core/futex.h"
#include "block.h"
#include "call.h"
#include "deadline.h"
#include "futex_words.h"
#include "hooks.h"
#include "mapping.h"
#include "shared_child.h"
#include "user.h"

/* Newer than the headers of Linux 5.10. */
enum { SIZE_U32 = 2, PRIVATE = FUTEX_PRIVATE_FLAG };
struct waiter {
    uint64_t value;
    uint64_t address;
    uint32_t flags;
    uint32_t reserved;
};

enum { ADDRESS_BITS = 47, BATCH = 8 };

/*
 * Whether the kernel that we run on has the call. Asked once of each, with flags that there are none of: who
 * has it says EINVAL.
 */
static bool is_known(const struct weft_call *call)
{
    static atomic_uchar known[4];
    atomic_uchar *here = &known[call->number == SYS_futex_waitv ? 0 : call->number - SYS_futex_wake + 1];
    unsigned char answer = atomic_load_explicit(here, memory_order_relaxed);
    if (answer == 0) { /* the third argument of waitv, the fourth of wake and wait, the second of requeue */
        bool vector = call->number == SYS_futex_waitv, requeue = call->number == SYS_futex_requeue;
        long result =
            weft_raw6(call->number, 0, requeue ? -1 : 0, vector ? -1 : 0, vector || requeue ? 0 : -1, 0, 0);
        answer = result == -EINVAL ? 1 : 2;
        atomic_store_explicit(here, answer, memory_order_relaxed);
    }
    return answer == 1;
}

static bool is_sound(uint64_t address, uint32_t flags)
{
    return (flags & ~(uint32_t)PRIVATE) == SIZE_U32 && address && address % sizeof(uint32_t) == 0 &&
           address >> ADDRESS_BITS == 0;
}

static bool is_ours(const uint32_t *address, uint32_t flags, uint32_t value)
{
    return flags & PRIVATE || weft_futex_is_thread_word(address, value) || weft_mapping_is_own(address);
}

/* Returns false when it is none, and the kernel says why. */
static bool deadline_of(const struct timespec *timeout, long clock, int64_t *deadline)
{
    struct timespec time;
    *deadline = WEFT_NEVER;
    if (!timeout)
        return true;
    if (((int)clock != CLOCK_MONOTONIC && (int)clock != CLOCK_REALTIME) ||
        !weft_user_read(&time, timeout, sizeof time) || !weft_timespec_valid(&time))
        return false;
    *deadline = weft_deadline_from(&time, (int)clock);
    return true;
}

/* futex_wake(address, mask, count, flags) */
WEFT_HOOK(futex_wake)
{
    uint32_t *address = (uint32_t *)call->arguments[0];
    unsigned long mask = (unsigned long)call->arguments[1];
    int count = (int)call->arguments[2];
    uint32_t flags = (uint32_t)call->arguments[3];
    if (!is_known(call) || !is_sound((uintptr_t)address, flags) || mask == 0 || mask > UINT32_MAX ||
        count == 0)
        return weft_call_raw(call);
    return weft_futex_wake_both(weft_current, address, FUTEX_WAKE_BITSET | (flags & PRIVATE),
                                count > 0 ? count : 1, (uint32_t)mask);
}

/* futex_wait(address, value, mask, flags, timeout, clock) */
WEFT_HOOK(futex_wait)
{
    uint32_t *address = (uint32_t *)call->arguments[0], now;
    unsigned long value = (unsigned long)call->arguments[1], mask = (unsigned long)call->arguments[2];
    uint32_t flags = (uint32_t)call->arguments[3];
    int64_t deadline;
    if (!is_known(call) || !is_sound((uintptr_t)address, flags) || value > UINT32_MAX || mask == 0 ||
        mask > UINT32_MAX ||
        !deadline_of((const struct timespec *)call->arguments[4], call->arguments[5], &deadline) ||
        !weft_user_read(&now, address, sizeof now) || !is_ours(address, flags, (uint32_t)value))
        return weft_block_in_kernel(call);
    if (weft_child_shares_stack())
        return weft_futex_block_in_kernel(call);
    return weft_futex_wait(weft_current, address, (uint32_t)value, (uint32_t)mask, deadline,
                           WEFT_REASON_FUTEX);
}

/* futex_requeue(waiters, flags, wake, move) */
WEFT_HOOK(futex_requeue)
{
    struct waiter pair[2];
    uint32_t now;
    int wake = (int)call->arguments[2], move = (int)call->arguments[3];
    if (!is_known(call) || call->arguments[1] & UINT32_MAX || wake < 0 || move < 0 ||
        !weft_user_read(pair, (void *)call->arguments[0], sizeof pair))
        return weft_call_raw(call);
    for (int i = 0; i < 2; i++)
        if (!is_sound(pair[i].address, pair[i].flags) || pair[i].reserved || pair[i].value > UINT32_MAX ||
            pair[i].flags != pair[0].flags)
            return weft_call_raw(call);
    uint32_t *from = (uint32_t *)pair[0].address, *to = (uint32_t *)pair[1].address;
    uint32_t compare = (uint32_t)pair[0].value;
    bool private = pair[0].flags & PRIVATE;
    if (!weft_user_read(&now, from, sizeof now) ||
        !(private || (weft_mapping_is_own(from) && weft_mapping_is_own(to))))
        return weft_call_raw(call);
    return weft_futex_requeue(weft_current, from, wake, move, to, &compare);
}

enum whose { OURS, NOT_ALL_OURS, UNSOUND };

static enum whose read_batch(const struct waiter *waiters, unsigned count, struct weft_futex_word *words)
{
    struct waiter batch[BATCH];
    uint32_t now[BATCH];
    struct iovec to[BATCH], from[BATCH];
    enum whose whose = OURS;
    if (!weft_user_read(batch, waiters, count * sizeof *batch))
        return UNSOUND;
    for (unsigned i = 0; i < count; i++) {
        if (!is_sound(batch[i].address, batch[i].flags) || batch[i].reserved || batch[i].value > UINT32_MAX)
            return UNSOUND;
        words[i] = (struct weft_futex_word){(uint32_t *)batch[i].address, (uint32_t)batch[i].value};
        to[i] = (struct iovec){&now[i], sizeof now[i]};
        from[i] = (struct iovec){words[i].address, sizeof now[i]};
    }
    if (!weft_user_read_parts(to, from, (int)count))
        return UNSOUND;
    for (unsigned i = 0; i < count; i++)
        if (!is_ours(words[i].address, batch[i].flags, words[i].value))
            whose = NOT_ALL_OURS;
    return whose;
}

static enum whose read_words(const struct waiter *waiters, unsigned count, struct weft_futex_word *words)
{
    enum whose all = OURS;
    for (unsigned i = 0; i < count; i += BATCH) {
        enum whose whose = read_batch(waiters + i, count - i < BATCH ? count - i : BATCH, words + i);
        if (whose > all)
            all = whose;
    }
    return all;
}

/* futex_waitv(waiters, count, flags, timeout, clock) */
WEFT_HOOK(futex_waitv)
{
    const struct waiter *waiters = (const struct waiter *)call->arguments[0];
    unsigned count = (unsigned)call->arguments[1];
    int64_t deadline;
    if (!is_known(call) || call->arguments[2] & UINT32_MAX || count == 0 || count > WEFT_FUTEX_WORDS ||
        !deadline_of((const struct timespec *)call->arguments[3], call->arguments[4], &deadline))
        return weft_block_in_kernel(call);
    struct weft_futex_many *many = weft_futex_many_take();
    if (!many)
        return -ENOMEM;
    enum whose whose = read_words(waiters, count, weft_futex_many_words(many));
    if (whose == OURS && weft_child_shares_stack())
        whose = NOT_ALL_OURS;
    long result = whose == OURS ? weft_futex_wait_many(weft_current, many, count, deadline) : 0;
    weft_futex_many_give(many);
    if (whose == OURS)
        return result;
    return whose == UNSOUND ? weft_block_in_kernel(call) : weft_futex_block_in_kernel(call);
}
