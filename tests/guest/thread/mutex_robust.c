// SPDX-License-Identifier: MIT
// Claims: when a thread ends with a robust mutex held, exactly one of the threads that want it, blocked
// already or not, gets it with EOWNERDEAD and can make it consistent; without that it is ENOTRECOVERABLE for
// all.
#include <sched.h>
#include <semaphore.h>
#include "guest.h"

#define THREADS 6
#define ROUNDS  12

static pthread_mutex_t mutex;
static sem_t locked, die;
static int owner_dead;

static void *die_with_lock(void *argument)
{
    CHECK_EQUAL(pthread_mutex_lock(&mutex), 0);
    CHECK_EQUAL(sem_post(&locked), 0);
    CHECK_EQUAL(sem_wait(&die), 0);
    return argument;
}

static void *inherit(void *argument)
{
    int result = pthread_mutex_lock(&mutex);
    if (result == EOWNERDEAD) {
        __atomic_fetch_add(&owner_dead, 1, __ATOMIC_RELAXED);
        CHECK_EQUAL(pthread_mutex_consistent(&mutex), 0);
        result = 0;
    }
    CHECK_EQUAL(result, 0);
    sched_yield();
    CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);
    return argument;
}

static void *find_unrecoverable(void *argument)
{
    CHECK_EQUAL(pthread_mutex_lock(&mutex), ENOTRECOVERABLE);
    return argument;
}

static pthread_t start_owner(void)
{
    pthread_t owner = guest_start(die_with_lock, NULL);
    CHECK_EQUAL(sem_wait(&locked), 0);
    return owner;
}

int main(void)
{
    pthread_mutexattr_t attributes;

    CHECK_EQUAL(sem_init(&locked, 0, 0), 0);
    CHECK_EQUAL(sem_init(&die, 0, 0), 0);
    CHECK_EQUAL(pthread_mutexattr_init(&attributes), 0);
    CHECK_EQUAL(pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST), 0);
    CHECK_EQUAL(pthread_mutex_init(&mutex, &attributes), 0);

    for (int round = 0; round < ROUNDS; round++) {
        pthread_t owner = start_owner(), heirs[THREADS];
        for (int i = 0; i < THREADS; i++)
            heirs[i] = guest_start(inherit, NULL);
        if (round % 2)
            usleep(500); // all are probably blocked
        CHECK_EQUAL(sem_post(&die), 0);
        guest_join(owner);
        for (int i = 0; i < THREADS; i++)
            guest_join(heirs[i]);
        CHECK_EQUAL(owner_dead, round + 1);
    }

    pthread_t owner = start_owner();
    CHECK_EQUAL(pthread_mutex_trylock(&mutex), EBUSY);
    CHECK_EQUAL(sem_post(&die), 0);
    guest_join(owner);
    CHECK_EQUAL(pthread_mutex_lock(&mutex), EOWNERDEAD);
    pthread_t blocked = guest_start(find_unrecoverable, NULL);
    CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0); // not made consistent
    guest_join(blocked);
    find_unrecoverable(NULL);
    CHECK_EQUAL(pthread_mutex_trylock(&mutex), ENOTRECOVERABLE); // glibc leaves it locked: last
    printf("owners dead: %d\n", owner_dead);
    return guest_success();
}
