// SPDX-License-Identifier: MIT
// Claims: mutexes with priority inheritance exclude, hand over, time out and know their owner like the
// others; one that is robust too survives its owner.
#include <sched.h>
#include "guest.h"

#define THREADS 8
#define ROUNDS  200

static pthread_mutex_t mutex;
static volatile int counter;

static void initialise(int type, int robust)
{
    pthread_mutexattr_t attributes;
    CHECK_EQUAL(pthread_mutexattr_init(&attributes), 0);
    CHECK_EQUAL(pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT), 0);
    CHECK_EQUAL(pthread_mutexattr_settype(&attributes, type), 0);
    CHECK_EQUAL(pthread_mutexattr_setrobust(&attributes, robust), 0);
    CHECK_EQUAL(pthread_mutex_init(&mutex, &attributes), 0);
}

static void *count(void *index)
{
    for (int i = 0; i < ROUNDS; i++) {
        CHECK_EQUAL(pthread_mutex_lock(&mutex), 0);
        int seen = counter;
        if (i % 8 == 0)
            sched_yield();
        counter = seen + 1;
        CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);
    }
    return index;
}

static void *time_out(void *index)
{
    int64_t deadline = guest_now(CLOCK_REALTIME) + 20 * GUEST_MILLISECOND;
    struct timespec time = guest_timespec(deadline);
    CHECK_EQUAL(pthread_mutex_trylock(&mutex), EBUSY);
    CHECK_EQUAL(pthread_mutex_unlock(&mutex), EPERM);
    CHECK_EQUAL(pthread_mutex_timedlock(&mutex, &time), ETIMEDOUT);
    CHECK(guest_now(CLOCK_REALTIME) >= deadline);
    return index;
}

static void *die_with_lock(void *index)
{
    CHECK_EQUAL(pthread_mutex_lock(&mutex), 0);
    return index;
}

int main(void)
{
    initialise(PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_STALLED);
    guest_threads(THREADS, count);
    printf("counter: %d\n", counter);
    CHECK_EQUAL(counter, THREADS * ROUNDS);
    CHECK_EQUAL(pthread_mutex_destroy(&mutex), 0);

    initialise(PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_STALLED);
    CHECK_EQUAL(pthread_mutex_lock(&mutex), 0);
    CHECK_EQUAL(pthread_mutex_lock(&mutex), EDEADLK);
    guest_threads(THREADS, time_out);
    CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);
    CHECK_EQUAL(pthread_mutex_destroy(&mutex), 0);

    initialise(PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST);
    guest_join(guest_start(die_with_lock, NULL));
    CHECK_EQUAL(pthread_mutex_lock(&mutex), EOWNERDEAD);
    CHECK_EQUAL(pthread_mutex_consistent(&mutex), 0);
    CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);
    guest_threads(2, count);
    CHECK_EQUAL(counter, (THREADS + 2) * ROUNDS);
    return guest_success();
}
