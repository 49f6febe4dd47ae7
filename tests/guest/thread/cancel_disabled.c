// SPDX-License-Identifier: MIT
// Claims: a thread that disabled cancellation is not cancelled, not in a blocking call either; the request
// stays pending until it enables it and reaches a cancellation point.
#include <semaphore.h>
#include "guest.h"

#define THREADS 8

static sem_t disabled, cancelled;
static int passed, enabled;

static void *body(void *argument)
{
    int old;

    CHECK_EQUAL(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old), 0);
    CHECK_EQUAL(old, PTHREAD_CANCEL_ENABLE);
    CHECK_EQUAL(sem_post(&disabled), 0);
    CHECK_EQUAL(sem_wait(&cancelled), 0);
    pthread_testcancel();
    CHECK_EQUAL(usleep(100), 0);
    __atomic_fetch_add(&passed, 1, __ATOMIC_RELAXED);
    CHECK_EQUAL(pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &old), 0);
    CHECK_EQUAL(old, PTHREAD_CANCEL_DISABLE);
    __atomic_fetch_add(&enabled, 1, __ATOMIC_RELAXED); // enabling is no cancellation point
    usleep(100);
    CHECK(!"it was not cancelled");
    return argument;
}

int main(void)
{
    pthread_t threads[THREADS];

    CHECK_EQUAL(sem_init(&disabled, 0, 0), 0);
    CHECK_EQUAL(sem_init(&cancelled, 0, 0), 0);
    for (int i = 0; i < THREADS; i++)
        threads[i] = guest_start(body, NULL);
    for (int i = 0; i < THREADS; i++)
        CHECK_EQUAL(sem_wait(&disabled), 0);
    for (int i = 0; i < THREADS; i++)
        CHECK_EQUAL(pthread_cancel(threads[i]), 0);
    for (int i = 0; i < THREADS; i++)
        CHECK_EQUAL(sem_post(&cancelled), 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(guest_join(threads[i]) == PTHREAD_CANCELED);
    printf("passed %d, enabled %d\n", passed, enabled);
    CHECK(passed == THREADS && enabled == THREADS);
    return guest_success();
}
