// SPDX-License-Identifier: MIT
// Claims: a mutex with a priority ceiling excludes, reports EBUSY and EDEADLK as its type says, and its
// ceiling can be read and set; where the process may not have the ceiling's priority all threads are told so
// in the same way.
#include <sched.h>
#include "guest.h"

#define THREADS 4
#define ROUNDS  50

static pthread_mutex_t mutex;
static int counter;

// A thread without a real-time policy does not get such a mutex.
static void *is_refused(void *argument)
{
    (void)argument;
    CHECK_EQUAL(pthread_mutex_lock(&mutex), EINVAL);
    return NULL;
}

static void *body(void *argument)
{
    struct sched_param parameters = {.sched_priority = sched_get_priority_min(SCHED_FIFO)};
    int result = pthread_setschedparam(pthread_self(), SCHED_FIFO, &parameters);
    (void)argument;
    if (result == EPERM)
        return (void *)1;
    CHECK_EQUAL(result, 0);
    for (int i = 0; i < ROUNDS; i++) {
        CHECK_EQUAL(pthread_mutex_lock(&mutex), 0);
        int seen = counter;
        sched_yield();
        counter = seen + 1;
        CHECK_EQUAL(pthread_mutex_lock(&mutex), EDEADLK);
        CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);
    }
    return NULL;
}

int main(void)
{
    pthread_mutexattr_t attributes;
    int ceiling = 0, lowest = sched_get_priority_min(SCHED_FIFO);
    CHECK_EQUAL(pthread_mutexattr_init(&attributes), 0);
    CHECK_EQUAL(pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK), 0);
    CHECK_EQUAL(pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_PROTECT), 0);
    CHECK_EQUAL(pthread_mutexattr_setprioceiling(&attributes, lowest + 1), 0);
    CHECK_EQUAL(pthread_mutex_init(&mutex, &attributes), 0);
    CHECK_EQUAL(pthread_mutex_getprioceiling(&mutex, &ceiling), 0);
    CHECK_EQUAL(ceiling, lowest + 1);
    guest_join(guest_start(is_refused, NULL));
    int refused = (int)guest_threads(THREADS, body);
    printf("may not be real-time: %d, counter %d\n", refused, counter);
    CHECK_EQUAL(counter, (THREADS - refused) * ROUNDS);
    CHECK_EQUAL(pthread_mutex_destroy(&mutex), 0);
    return guest_success();
}
