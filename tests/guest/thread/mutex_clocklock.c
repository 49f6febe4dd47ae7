// SPDX-License-Identifier: MIT
// Claims: pthread_mutex_clocklock measures its deadline on the clock it is given: ETIMEDOUT not before it,
// success when released in time, EINVAL for a clock that it does not know.
#include <semaphore.h>
#include "guest.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static sem_t waiting;

static void *time_out(void *index)
{
    clockid_t clock = (intptr_t)index % 2 ? CLOCK_MONOTONIC : CLOCK_REALTIME;
    int64_t deadline = guest_now(clock) + 20 * GUEST_MILLISECOND;
    struct timespec time = guest_timespec(deadline);
    CHECK_EQUAL(pthread_mutex_clocklock(&mutex, clock, &time), ETIMEDOUT);
    CHECK(guest_now(clock) >= deadline);
    return (void *)1;
}

static void *succeed(void *clock)
{
    struct timespec time = guest_timespec(guest_now((clockid_t)(intptr_t)clock) + 30 * GUEST_SECOND);
    CHECK_EQUAL(sem_post(&waiting), 0);
    CHECK_EQUAL(pthread_mutex_clocklock(&mutex, (clockid_t)(intptr_t)clock, &time), 0);
    CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);
    return NULL;
}

int main(void)
{
    struct timespec time = {1, 0};

    CHECK_EQUAL(sem_init(&waiting, 0, 0), 0);
    CHECK_EQUAL(pthread_mutex_lock(&mutex), 0);
    printf("timed out: %ld\n", (long)guest_threads(8, time_out));
    CHECK_EQUAL(pthread_mutex_clocklock(&mutex, CLOCK_MONOTONIC, &time), ETIMEDOUT);
    CHECK_EQUAL(pthread_mutex_clocklock(&mutex, CLOCK_THREAD_CPUTIME_ID, &time), EINVAL);

    pthread_t monotonic = guest_start(succeed, (void *)(intptr_t)CLOCK_MONOTONIC);
    pthread_t realtime = guest_start(succeed, (void *)(intptr_t)CLOCK_REALTIME);
    CHECK_EQUAL(sem_wait(&waiting), 0);
    CHECK_EQUAL(sem_wait(&waiting), 0);
    CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);
    guest_join(monotonic);
    guest_join(realtime);
    return guest_success();
}
