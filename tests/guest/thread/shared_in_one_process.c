// SPDX-License-Identifier: MIT
// Claims: objects marked PTHREAD_PROCESS_SHARED work as well between the threads of one process: mutex,
// condition variable, rwlock, barrier and semaphore.
#include <sched.h>
#include <semaphore.h>
#include "guest.h"

#define THREADS 8
#define ROUNDS  20

static pthread_mutex_t mutex;
static pthread_cond_t changed;
static pthread_rwlock_t rwlock;
static pthread_barrier_t barrier;
static sem_t semaphore;
static volatile int by_mutex, by_rwlock, by_semaphore, turn;

static void add(volatile int *counter)
{
    int seen = *counter;
    sched_yield();
    *counter = seen + 1;
}

static void *body(void *index)
{
    intptr_t serial = 0;
    for (int i = 0; i < ROUNDS; i++) {
        CHECK_EQUAL(pthread_mutex_lock(&mutex), 0);
        while (turn != (intptr_t)index)
            CHECK_EQUAL(pthread_cond_wait(&changed, &mutex), 0);
        turn = (turn + 1) % THREADS;
        add(&by_mutex);
        CHECK_EQUAL(pthread_cond_broadcast(&changed), 0);
        CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);

        CHECK_EQUAL(pthread_rwlock_wrlock(&rwlock), 0);
        add(&by_rwlock);
        CHECK_EQUAL(pthread_rwlock_unlock(&rwlock), 0);

        CHECK_EQUAL(sem_wait(&semaphore), 0);
        add(&by_semaphore);
        CHECK_EQUAL(sem_post(&semaphore), 0);

        serial += pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD;
    }
    return (void *)serial;
}

int main(void)
{
    pthread_mutexattr_t mutex_attributes;
    pthread_condattr_t cond_attributes;
    pthread_rwlockattr_t rwlock_attributes;
    pthread_barrierattr_t barrier_attributes;

    CHECK_EQUAL(pthread_mutexattr_init(&mutex_attributes), 0);
    CHECK_EQUAL(pthread_mutexattr_setpshared(&mutex_attributes, PTHREAD_PROCESS_SHARED), 0);
    CHECK_EQUAL(pthread_mutex_init(&mutex, &mutex_attributes), 0);
    CHECK_EQUAL(pthread_condattr_init(&cond_attributes), 0);
    CHECK_EQUAL(pthread_condattr_setpshared(&cond_attributes, PTHREAD_PROCESS_SHARED), 0);
    CHECK_EQUAL(pthread_cond_init(&changed, &cond_attributes), 0);
    CHECK_EQUAL(pthread_rwlockattr_init(&rwlock_attributes), 0);
    CHECK_EQUAL(pthread_rwlockattr_setpshared(&rwlock_attributes, PTHREAD_PROCESS_SHARED), 0);
    CHECK_EQUAL(pthread_rwlock_init(&rwlock, &rwlock_attributes), 0);
    CHECK_EQUAL(pthread_barrierattr_init(&barrier_attributes), 0);
    CHECK_EQUAL(pthread_barrierattr_setpshared(&barrier_attributes, PTHREAD_PROCESS_SHARED), 0);
    CHECK_EQUAL(pthread_barrier_init(&barrier, &barrier_attributes, THREADS), 0);
    CHECK_EQUAL(sem_init(&semaphore, 1, 1), 0);

    intptr_t serial = guest_threads(THREADS, body);
    printf("%d %d %d, serial %ld\n", by_mutex, by_rwlock, by_semaphore, (long)serial);
    CHECK(by_mutex == THREADS * ROUNDS && by_rwlock == by_mutex && by_semaphore == by_mutex);
    CHECK_EQUAL(serial, ROUNDS);
    return guest_success();
}
