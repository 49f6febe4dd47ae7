// SPDX-License-Identifier: MIT
// Claims: the CPU clocks of threads run forward, can be read by the thread itself and by others, and the
// process's is not behind; getrusage(RUSAGE_THREAD) grows with the computing of the calling thread.
#include <semaphore.h>
#include <sys/resource.h>
#include "guest.h"

static sem_t burnt, done;

static int64_t used(void)
{
    struct rusage usage;
    CHECK_EQUAL(getrusage(RUSAGE_THREAD, &usage), 0);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * GUEST_SECOND +
           (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000;
}

static void *burns(void *argument)
{
    (void)argument;
    clockid_t clock;
    CHECK_EQUAL(pthread_getcpuclockid(pthread_self(), &clock), 0);
    int64_t begin = guest_now(CLOCK_THREAD_CPUTIME_ID), other = guest_now(clock), usage = used();
    CHECK(other >= begin);
    while (guest_now(CLOCK_THREAD_CPUTIME_ID) - begin < 30 * GUEST_MILLISECOND)
        continue;
    CHECK(guest_now(clock) - other >= 25 * GUEST_MILLISECOND);
    CHECK(used() - usage >= 10 * GUEST_MILLISECOND);
    CHECK_EQUAL(sem_post(&burnt), 0);
    CHECK_EQUAL(sem_wait(&done), 0);
    return NULL;
}

int main(void)
{
    clockid_t clock;
    CHECK(sem_init(&burnt, 0, 0) == 0 && sem_init(&done, 0, 0) == 0);
    pthread_t thread = guest_start(burns, NULL);
    CHECK_EQUAL(pthread_getcpuclockid(thread, &clock), 0);
    CHECK_EQUAL(sem_wait(&burnt), 0);
    int64_t first = guest_now(clock);
    CHECK(first >= 30 * GUEST_MILLISECOND);
    CHECK(guest_now(clock) >= first);
    CHECK(guest_now(CLOCK_PROCESS_CPUTIME_ID) >= first);
    CHECK_EQUAL(sem_post(&done), 0);
    guest_join(thread);
    return guest_success();
}
