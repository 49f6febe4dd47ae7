// SPDX-License-Identifier: MIT
// Claims: pthread_cond_timedwait after pthread_condattr_setclock ends with ETIMEDOUT not before its deadline
// on CLOCK_MONOTONIC, with the mutex held again; a signal before the deadline wakes it with 0; so it is for
// many waiters with different deadlines.
#include "guest.h"

#define THREADS 20

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed;
static int holders, flag, waiting;

static int wait_until(int64_t deadline)
{
    struct timespec time = guest_timespec(deadline);
    return pthread_cond_timedwait(&changed, &mutex, &time);
}

static void *time_out(void *index)
{
    int64_t deadline = guest_now(CLOCK_MONOTONIC) + (5 + (intptr_t)index) * GUEST_MILLISECOND;
    int result;

    CHECK_EQUAL(pthread_mutex_lock(&mutex), 0);
    do // a spurious wake-up is allowed
        result = wait_until(deadline);
    while (result == 0);
    CHECK_EQUAL(result, ETIMEDOUT);
    CHECK(guest_now(CLOCK_MONOTONIC) >= deadline);
    CHECK_EQUAL(++holders, 1);
    usleep(1);
    holders--;
    CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);
    return (void *)1;
}

static void *be_signalled(void *index)
{
    int64_t deadline = guest_now(CLOCK_MONOTONIC) + 30 * GUEST_SECOND;

    CHECK_EQUAL(pthread_mutex_lock(&mutex), 0);
    waiting++;
    while (!flag)
        CHECK_EQUAL(wait_until(deadline), 0);
    CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);
    CHECK(guest_now(CLOCK_MONOTONIC) < deadline);
    return index;
}

int main(void)
{
    pthread_t threads[THREADS];
    pthread_condattr_t attributes;

    CHECK_EQUAL(pthread_condattr_init(&attributes), 0);
    CHECK_EQUAL(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC), 0);
    CHECK_EQUAL(pthread_cond_init(&changed, &attributes), 0);
    printf("timed out: %ld\n", (long)guest_threads(THREADS, time_out));
    CHECK_EQUAL(pthread_mutex_lock(&mutex), 0);
    CHECK_EQUAL(wait_until(1), ETIMEDOUT);
    CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);

    for (intptr_t i = 0; i < THREADS; i++)
        threads[i] = guest_start(be_signalled, (void *)i);
    CHECK_EQUAL(pthread_mutex_lock(&mutex), 0);
    while (waiting < THREADS) {
        CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);
        usleep(100);
        CHECK_EQUAL(pthread_mutex_lock(&mutex), 0);
    }
    flag = 1;
    CHECK_EQUAL(pthread_cond_broadcast(&changed), 0);
    CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);
    for (int i = 0; i < THREADS; i++)
        guest_join(threads[i]);
    return guest_success();
}
