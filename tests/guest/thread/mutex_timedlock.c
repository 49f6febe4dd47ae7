// SPDX-License-Identifier: MIT
// Claims: pthread_mutex_timedlock on a held mutex ends with ETIMEDOUT once CLOCK_REALTIME reaches the
// deadline, for every one of many waiters; it succeeds when the mutex is released before; a free mutex needs
// no valid deadline.
#include <semaphore.h>
#include "guest.h"

#define THREADS 10

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static sem_t waiting;

static void *time_out(void *index)
{
    int64_t deadline = guest_now(CLOCK_REALTIME) + (10 + (intptr_t)index) * GUEST_MILLISECOND;
    struct timespec time = guest_timespec(deadline);
    CHECK_EQUAL(pthread_mutex_timedlock(&mutex, &time), ETIMEDOUT);
    CHECK(guest_now(CLOCK_REALTIME) >= deadline);
    return (void *)1;
}

static void *succeed(void *index)
{
    struct timespec time = guest_timespec(guest_now(CLOCK_REALTIME) + 30 * GUEST_SECOND);
    CHECK_EQUAL(sem_post(&waiting), 0);
    CHECK_EQUAL(pthread_mutex_timedlock(&mutex, &time), 0);
    CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);
    return index;
}

int main(void)
{
    pthread_t threads[THREADS];
    struct timespec past = {1, 0}, invalid = {1, 1000000000};

    CHECK_EQUAL(sem_init(&waiting, 0, 0), 0);
    CHECK_EQUAL(pthread_mutex_lock(&mutex), 0);
    printf("timed out: %ld\n", (long)guest_threads(THREADS, time_out));
    CHECK_EQUAL(pthread_mutex_timedlock(&mutex, &past), ETIMEDOUT);
    CHECK_EQUAL(pthread_mutex_timedlock(&mutex, &invalid), EINVAL);

    for (intptr_t i = 0; i < THREADS; i++)
        threads[i] = guest_start(succeed, (void *)i);
    for (int i = 0; i < THREADS; i++)
        CHECK_EQUAL(sem_wait(&waiting), 0);
    CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);
    for (int i = 0; i < THREADS; i++)
        guest_join(threads[i]);

    CHECK_EQUAL(pthread_mutex_timedlock(&mutex, &past), 0);
    CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);
    return guest_success();
}
