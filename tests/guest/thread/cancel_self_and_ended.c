// SPDX-License-Identifier: MIT
// Claims: a thread that cancels itself ends at its next cancellation point and not before; cancelling a
// thread that has ended changes nothing of its value; a mutex is no cancellation point.
#include <sched.h>
#include <semaphore.h>
#include "guest.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static sem_t locking;
static int before_point, locked;

static void *cancel_self(void *argument)
{
    CHECK_EQUAL(pthread_cancel(pthread_self()), 0);
    before_point = 1;
    pthread_testcancel();
    CHECK(!"it was not cancelled");
    return argument;
}

static void *echo(void *argument)
{
    return argument;
}

static void *lock(void *argument)
{
    CHECK_EQUAL(sem_post(&locking), 0);
    CHECK_EQUAL(pthread_mutex_lock(&mutex), 0);
    locked = 1;
    CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);
    pthread_testcancel();
    CHECK(!"it was not cancelled");
    return argument;
}

int main(void)
{
    clockid_t clock;

    CHECK_EQUAL(sem_init(&locking, 0, 0), 0);
    CHECK(guest_join(guest_start(cancel_self, NULL)) == PTHREAD_CANCELED);
    CHECK_EQUAL(before_point, 1);

    pthread_t ended = guest_start(echo, &clock);
    while (pthread_getcpuclockid(ended, &clock) != ESRCH)
        sched_yield();
    int result = pthread_cancel(ended); // before glibc 2.34: ESRCH
    CHECK(result == 0 || result == ESRCH);
    printf("cancelling an ended thread: %d\n", result);
    CHECK(guest_join(ended) == &clock);

    CHECK_EQUAL(pthread_mutex_lock(&mutex), 0);
    pthread_t locker = guest_start(lock, NULL);
    CHECK_EQUAL(sem_wait(&locking), 0);
    usleep(1000);
    CHECK_EQUAL(pthread_cancel(locker), 0);
    usleep(1000);
    CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);
    CHECK(guest_join(locker) == PTHREAD_CANCELED);
    CHECK_EQUAL(locked, 1);
    return guest_success();
}
