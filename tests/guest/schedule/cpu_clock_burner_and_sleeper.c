// SPDX-License-Identifier: MIT
// Claims: while one thread computes and another waits, the clock of the first advances, by no more than time
// does, and that of the other does not; the same by their own readings, by readings from a third thread, by
// getrusage.
#include <semaphore.h>
#include <sys/resource.h>
#include "clock.h"

enum { BURNT = 50 * GUEST_MILLISECOND };

static sem_t go, wake, asleep;

static int64_t usage(void)
{
    struct rusage usage;
    CHECK_EQUAL(getrusage(RUSAGE_THREAD, &usage), 0);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * GUEST_SECOND +
           (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000;
}

static void *burns(void *argument)
{
    (void)argument;
    CHECK_EQUAL(sem_wait(&go), 0);
    int64_t begin = guest_now(CLOCK_THREAD_CPUTIME_ID), time = guest_now(CLOCK_MONOTONIC), used = usage();
    burn(BURNT);
    int64_t passed = guest_now(CLOCK_THREAD_CPUTIME_ID) - begin;
    CHECK(passed <= guest_now(CLOCK_MONOTONIC) - time + GUEST_MILLISECOND);
    CHECK(usage() - used >= passed - 10 * GUEST_MILLISECOND); // it may count ticks
    CHECK(guest_now(clock_of(pthread_self())) >= begin + passed);
    CHECK_EQUAL(sem_post(&wake), 0);
    CHECK_EQUAL(sem_wait(&go), 0); // its clock would end with it
    return NULL;
}

static void *sleeps(void *argument)
{
    (void)argument;
    int64_t begin = guest_now(CLOCK_THREAD_CPUTIME_ID), used = usage();
    CHECK_EQUAL(sem_post(&asleep), 0);
    CHECK_EQUAL(sem_wait(&wake), 0);
    CHECK(guest_now(CLOCK_THREAD_CPUTIME_ID) - begin < BURNT / 10);
    CHECK(usage() - used < BURNT / 10 + 10 * GUEST_MILLISECOND);
    CHECK_EQUAL(sem_post(&asleep), 0);
    CHECK_EQUAL(sem_wait(&wake), 0);
    return NULL;
}

int main(void)
{
    CHECK(sem_init(&go, 0, 0) == 0 && sem_init(&wake, 0, 0) == 0 && sem_init(&asleep, 0, 0) == 0);
    pthread_t sleeper = guest_start(sleeps, NULL), burner = guest_start(burns, NULL);
    clockid_t burners = clock_of(burner), sleepers = clock_of(sleeper);
    CHECK_EQUAL(sem_wait(&asleep), 0);
    int64_t burnt = guest_now(burners), slept = guest_now(sleepers),
            mine = guest_now(clock_of(pthread_self()));
    CHECK_EQUAL(sem_post(&go), 0);
    CHECK_EQUAL(sem_wait(&asleep), 0);
    CHECK(guest_now(sleepers) - slept < BURNT / 10);
    CHECK(guest_now(burners) - burnt >= BURNT);
    CHECK(guest_now(CLOCK_THREAD_CPUTIME_ID) - mine < BURNT / 10);
    CHECK(guest_now(CLOCK_PROCESS_CPUTIME_ID) >= BURNT);
    CHECK(sem_post(&go) == 0 && sem_post(&wake) == 0);
    guest_join(burner);
    guest_join(sleeper);
    return guest_success();
}
