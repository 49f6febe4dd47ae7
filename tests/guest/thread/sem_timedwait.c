// SPDX-License-Identifier: MIT
// Claims: sem_timedwait and sem_clockwait fail with ETIMEDOUT not before their deadline on their clock, and
// return 0 for each post that comes before it.
#include <semaphore.h>
#include "guest.h"

#define THREADS 10

static sem_t empty, waiting;

static int wait_until(intptr_t way, int64_t delay, clockid_t *clock, int64_t *deadline)
{
    *clock = way % 2 ? CLOCK_MONOTONIC : CLOCK_REALTIME;
    *deadline = guest_now(*clock) + delay;
    struct timespec time = guest_timespec(*deadline);
    return way % 2 ? sem_clockwait(&empty, *clock, &time) : sem_timedwait(&empty, &time);
}

static void *time_out(void *index)
{
    clockid_t clock;
    int64_t deadline;
    CHECK_EQUAL(wait_until((intptr_t)index, (10 + (intptr_t)index) * GUEST_MILLISECOND, &clock, &deadline),
                -1);
    CHECK_EQUAL(errno, ETIMEDOUT);
    CHECK(guest_now(clock) >= deadline);
    return (void *)1;
}

static void *succeed(void *index)
{
    clockid_t clock;
    int64_t deadline;
    CHECK_EQUAL(sem_post(&waiting), 0);
    CHECK_EQUAL(wait_until((intptr_t)index, 30 * GUEST_SECOND, &clock, &deadline), 0);
    CHECK(guest_now(clock) < deadline);
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    int value;

    CHECK_EQUAL(sem_init(&empty, 0, 0), 0);
    CHECK_EQUAL(sem_init(&waiting, 0, 0), 0);
    printf("timed out: %ld\n", (long)guest_threads(THREADS, time_out));
    for (intptr_t i = 0; i < THREADS; i++)
        threads[i] = guest_start(succeed, (void *)i);
    for (int i = 0; i < THREADS; i++) {
        CHECK_EQUAL(sem_wait(&waiting), 0);
        CHECK_EQUAL(sem_post(&empty), 0);
    }
    for (int i = 0; i < THREADS; i++)
        guest_join(threads[i]);
    CHECK_EQUAL(sem_getvalue(&empty, &value), 0);
    CHECK_EQUAL(value, 0);
    return guest_success();
}
