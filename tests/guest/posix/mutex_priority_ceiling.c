// SPDX-License-Identifier: MIT
// Claims: a mutex with a priority ceiling excludes, reports EBUSY and EDEADLK as its type says, and its
// ceiling can be read and set; where the process may not have the ceiling's priority all threads are told so
// in the same way.
#include <sched.h>
#include "guest.h"

#define THREADS 4
#define ROUNDS  50

static pthread_mutex_t mutex;
static int counter, refused;

static void *body(void *argument)
{
    (void)argument;
    for (int i = 0; i < ROUNDS; i++) {
        int result = pthread_mutex_lock(&mutex);
        if (refused) {
            CHECK_EQUAL(result, refused);
            continue;
        }
        CHECK_EQUAL(result, 0);
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
    int ceiling = 0, before = 0, lowest = sched_get_priority_min(SCHED_FIFO);
    CHECK_EQUAL(pthread_mutexattr_init(&attributes), 0);
    CHECK_EQUAL(pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK), 0);
    CHECK_EQUAL(pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_PROTECT), 0);
    CHECK_EQUAL(pthread_mutexattr_setprioceiling(&attributes, lowest), 0);
    CHECK_EQUAL(pthread_mutex_init(&mutex, &attributes), 0);
    CHECK_EQUAL(pthread_mutex_getprioceiling(&mutex, &ceiling), 0);
    CHECK_EQUAL(ceiling, lowest);

    refused = pthread_mutex_lock(&mutex);
    CHECK(refused == 0 || refused == EPERM || refused == EINVAL);
    if (!refused) {
        CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);
        CHECK_EQUAL(pthread_mutex_setprioceiling(&mutex, lowest + 1, &before), 0);
        CHECK_EQUAL(before, lowest);
    }
    guest_threads(THREADS, body);
    CHECK_EQUAL(counter, refused ? 0 : THREADS * ROUNDS);
    printf("refused: %d, counter %d\n", refused, counter);
    CHECK_EQUAL(pthread_mutex_destroy(&mutex), 0);
    return guest_success();
}
