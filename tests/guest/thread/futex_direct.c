// SPDX-License-Identifier: MIT
// Claims: a program that calls futex by syscall(2) gets what the kernel documents: EAGAIN on a changed value,
// timeouts, exact counts of woken and requeued waiters, wakes by bitset and by wake_op.
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include "guest.h"

#define WAITERS 10

static uint32_t word, other;

static long futex(uint32_t *address, int operation, uint32_t value, const void *timeout, uint32_t *second,
                  uint32_t third)
{
    return syscall(SYS_futex, address, operation | FUTEX_PRIVATE_FLAG, value, timeout, second, third);
}

static void *wait_for_wake(void *argument)
{
    (void)argument;
    CHECK_EQUAL(futex(&word, FUTEX_WAIT, 0, NULL, NULL, 0), 0);
    return (void *)1;
}

static void *wait_for_bit(void *index)
{
    CHECK_EQUAL(futex(&word, FUTEX_WAIT_BITSET, 0, NULL, NULL, (uintptr_t)index & 1 ? 2 : 1), 0);
    return NULL;
}

// Does `operation` until it has reached `count` waiters in all: the only way to know that they wait.
static void reach(int count, int operation, uint32_t value, uintptr_t limit, uint32_t last)
{
    while (count > 0) {
        long reached = futex(&word, operation, value, (void *)limit, &other, last);
        CHECK(reached >= 0 && reached <= count);
        count -= (int)reached;
        sched_yield();
    }
}

static void join(pthread_t *threads)
{
    for (int i = 0; i < WAITERS; i++)
        guest_join(threads[i]);
}

int main(void)
{
    pthread_t threads[WAITERS];
    struct timespec delay = guest_timespec(10 * GUEST_MILLISECOND);

    CHECK(futex(&word, FUTEX_WAIT, 1, NULL, NULL, 0) == -1 && errno == EAGAIN);
    int64_t deadline = guest_now(CLOCK_MONOTONIC) + 10 * GUEST_MILLISECOND;
    CHECK(futex(&word, FUTEX_WAIT, 0, &delay, NULL, 0) == -1 && errno == ETIMEDOUT);
    CHECK(guest_now(CLOCK_MONOTONIC) >= deadline);
    delay = guest_timespec(deadline); // in the past
    CHECK(futex(&word, FUTEX_WAIT_BITSET, 0, &delay, NULL, ~0u) == -1 && errno == ETIMEDOUT);
    CHECK_EQUAL(futex(&word, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0), 0);

    for (int i = 0; i < WAITERS; i++)
        threads[i] = guest_start(wait_for_wake, NULL);
    reach(WAITERS, FUTEX_WAKE, 1, 0, 0);
    join(threads);

    for (intptr_t i = 0; i < WAITERS; i++)
        threads[i] = guest_start(wait_for_bit, (void *)i);
    reach(WAITERS / 2, FUTEX_WAKE_BITSET, INT32_MAX, 0, 2);
    CHECK_EQUAL(futex(&word, FUTEX_WAKE_BITSET, INT32_MAX, NULL, NULL, 2), 0);
    reach(WAITERS / 2, FUTEX_WAKE_BITSET, INT32_MAX, 0, 1);
    join(threads);

    for (int i = 0; i < WAITERS; i++)
        threads[i] = guest_start(wait_for_wake, NULL);
    CHECK(futex(&word, FUTEX_CMP_REQUEUE, 0, (void *)1, &other, 1) == -1 && errno == EAGAIN);
    reach(WAITERS, FUTEX_CMP_REQUEUE, 0, INT32_MAX, 0); // wakes none, moves all to the other word
    CHECK_EQUAL(futex(&word, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0), 0);
    CHECK_EQUAL(futex(&other, FUTEX_WAKE, 3, NULL, NULL, 0), 3);
    other = 5; // adds 1 to the other word and, as it was 5, wakes there as well
    CHECK_EQUAL(futex(&word, FUTEX_WAKE_OP, INT32_MAX, (void *)INT32_MAX, &other,
                      FUTEX_OP(FUTEX_OP_ADD, 1, FUTEX_OP_CMP_EQ, 5)),
                WAITERS - 3);
    CHECK_EQUAL(other, 6);
    join(threads);
    return guest_success();
}
