// SPDX-License-Identifier: MIT
// Claims: timed and clocked read and write locks end with ETIMEDOUT not before their deadline, and succeed
// when the lock comes free before it; the write lock's owner gets EDEADLK.
#include <semaphore.h>
#include "guest.h"

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static sem_t waiting;

static int take(intptr_t way, int64_t delay, int64_t *deadline, clockid_t *clock)
{
    *clock = way < 2 ? CLOCK_REALTIME : CLOCK_MONOTONIC;
    *deadline = guest_now(*clock) + delay;
    struct timespec time = guest_timespec(*deadline);
    switch (way) {
    case 0:
        return pthread_rwlock_timedrdlock(&lock, &time);
    case 1:
        return pthread_rwlock_timedwrlock(&lock, &time);
    case 2:
        return pthread_rwlock_clockrdlock(&lock, CLOCK_MONOTONIC, &time);
    default:
        return pthread_rwlock_clockwrlock(&lock, CLOCK_MONOTONIC, &time);
    }
}

static void *time_out(void *index)
{
    int64_t deadline;
    clockid_t clock;
    CHECK_EQUAL(take((intptr_t)index % 4, 20 * GUEST_MILLISECOND, &deadline, &clock), ETIMEDOUT);
    CHECK(guest_now(clock) >= deadline);
    return (void *)1;
}

static void *succeed(void *index)
{
    int64_t deadline;
    clockid_t clock;
    CHECK_EQUAL(sem_post(&waiting), 0);
    CHECK_EQUAL(take((intptr_t)index % 4, 30 * GUEST_SECOND, &deadline, &clock), 0);
    CHECK(guest_now(clock) < deadline);
    CHECK_EQUAL(pthread_rwlock_unlock(&lock), 0);
    return NULL;
}

int main(void)
{
    pthread_t threads[8];

    CHECK_EQUAL(sem_init(&waiting, 0, 0), 0);
    CHECK_EQUAL(pthread_rwlock_wrlock(&lock), 0);
    CHECK_EQUAL(pthread_rwlock_wrlock(&lock), EDEADLK);
    CHECK_EQUAL(pthread_rwlock_rdlock(&lock), EDEADLK);
    CHECK_EQUAL(pthread_rwlock_trywrlock(&lock), EBUSY);
    printf("timed out: %ld\n", (long)guest_threads(8, time_out));

    for (intptr_t i = 0; i < 8; i++)
        threads[i] = guest_start(succeed, (void *)i);
    for (int i = 0; i < 8; i++)
        CHECK_EQUAL(sem_wait(&waiting), 0);
    CHECK_EQUAL(pthread_rwlock_unlock(&lock), 0);
    for (int i = 0; i < 8; i++)
        guest_join(threads[i]);
    return guest_success();
}
