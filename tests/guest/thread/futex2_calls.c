// SPDX-License-Identifier: MIT
// Claims: who waits by futex, futex_wait or futex_waitv is woken and moved by futex, futex_wake and
// futex_requeue; masks choose; waits end at absolute times of both clocks.
#include <sys/mman.h>
#include "futex2.h"

enum { OLD, NEW, VECTOR, WAYS };

static uint32_t words[4], *shared;

static long wait_by(int way, uint32_t *word, uint32_t flags)
{
    struct waitv vector = waitv_of(word, 0, flags);
    switch (way) {
    case OLD:
        return syscall(SYS_futex, word, FUTEX_WAIT | (flags & FUTEX_PRIVATE_FLAG), 0, NULL, NULL, 0);
    case NEW:
        return syscall(CALL_WAIT, word, 0L, (unsigned long)UINT32_MAX, (long)flags, NULL, 0L);
    default:
        return syscall(CALL_WAITV, &vector, 1L, 0L, NULL, 0L);
    }
}

static void *wait_private(void *way)
{
    CHECK_EQUAL(wait_by((int)(intptr_t)way, &words[0], U32_PRIVATE), 0);
    return NULL;
}

static void *wait_shared(void *way)
{
    CHECK_EQUAL(wait_by((int)(intptr_t)way, shared, U32), 0);
    return NULL;
}

// Moves one from the first word to the second as soon as somebody waits.
static void move_one(bool by_new_call)
{
    struct waitv pair[2] = {waitv_of(&words[0], 0, U32_PRIVATE), waitv_of(&words[1], 0, U32_PRIVATE)};
    long moved;
    do {
        sched_yield();
        moved = by_new_call ? syscall(CALL_REQUEUE, pair, 0L, 0L, 1L)
                            : syscall(SYS_futex, &words[0], FUTEX_CMP_REQUEUE_PRIVATE, 0, 1L, &words[1], 0);
        CHECK(moved >= 0 && moved <= 1);
    } while (moved == 0);
}

static void *wait_for_mask(void *mask)
{
    CHECK_EQUAL(syscall(CALL_WAIT, &words[2], 0L, (unsigned long)mask, (long)U32_PRIVATE, NULL, 0L), 0);
    return NULL;
}

static void check_masks(void)
{
    pthread_t two = guest_start(wait_for_mask, (void *)2), four = guest_start(wait_for_mask, (void *)4);
    while (syscall(CALL_WAKE, &words[2], 2UL, 9L, (long)U32_PRIVATE) == 0)
        sched_yield();
    guest_join(two);
    CHECK_EQUAL(syscall(CALL_WAKE, &words[2], 1UL, 9L, (long)U32_PRIVATE), 0);
    while (syscall(SYS_futex, &words[2], FUTEX_WAKE_BITSET_PRIVATE, 9, NULL, NULL, 4) == 0)
        sched_yield();
    guest_join(four);
}

static void check_time(clockid_t clock)
{
    for (int past = 0; past < 2; past++)
        for (int vector = 0; vector < 2; vector++) {
            int64_t end = guest_now(clock) + (past ? -1 : 1) * 5 * GUEST_MILLISECOND;
            struct timespec time = guest_timespec(end);
            struct waitv waiter = waitv_of(&words[3], 0, U32_PRIVATE);
            long result = vector
                              ? syscall(CALL_WAITV, &waiter, 1L, 0L, &time, (long)clock)
                              : syscall(CALL_WAIT, &words[3], 0L, 1UL, (long)U32_PRIVATE, &time, (long)clock);
            CHECK(result == -1 && errno == ETIMEDOUT);
            CHECK(guest_now(clock) >= end);
        }
}

static void *body(void *unused)
{
    for (int way = 0; way < WAYS; way++)
        for (int by_new_call = 0; by_new_call < 2; by_new_call++) {
            pthread_t waiter = guest_start(wait_private, (void *)(intptr_t)way);
            wake_one(&words[0], by_new_call);
            guest_join(waiter);
            waiter = guest_start(wait_private, (void *)(intptr_t)way);
            move_one(by_new_call);
            CHECK_EQUAL(syscall(CALL_WAKE, &words[0], 1UL, 1L, (long)U32_PRIVATE), 0);
            wake_one(&words[1], !by_new_call);
            guest_join(waiter);

            waiter = guest_start(wait_shared, (void *)(intptr_t)way);
            while ((by_new_call ? syscall(CALL_WAKE, shared, 1UL, 1L, (long)U32)
                                : syscall(SYS_futex, shared, FUTEX_WAKE, 1, NULL, NULL, 0)) == 0)
                sched_yield();
            guest_join(waiter);
        }
    check_masks();
    check_time(CLOCK_MONOTONIC);
    check_time(CLOCK_REALTIME);
    return unused;
}

int main(void)
{
    skip_without_futex2();
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(shared != MAP_FAILED);
    guest_join(guest_start(body, NULL));
    return guest_success();
}
