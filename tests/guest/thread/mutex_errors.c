// SPDX-License-Identifier: MIT
// Claims: an error-checking mutex knows its owner: EDEADLK to lock it twice, EPERM to unlock another's; a
// recursive one counts its owner's locks and is free after as many unlocks; both stay with their owner while
// it is blocked.
#include <semaphore.h>
#include "guest.h"

static pthread_mutex_t errorcheck = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
static pthread_mutex_t recursive = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static sem_t locked, looked;

static void *owner(void *argument)
{
    CHECK_EQUAL(pthread_mutex_unlock(&errorcheck), EPERM);
    CHECK_EQUAL(pthread_mutex_lock(&errorcheck), 0);
    for (int i = 0; i < 3; i++)
        CHECK_EQUAL(pthread_mutex_lock(&recursive), 0);
    CHECK_EQUAL(sem_post(&locked), 0);
    CHECK_EQUAL(sem_wait(&looked), 0);

    CHECK_EQUAL(pthread_mutex_lock(&errorcheck), EDEADLK);
    CHECK_EQUAL(pthread_mutex_trylock(&errorcheck), EBUSY);
    CHECK_EQUAL(pthread_mutex_unlock(&errorcheck), 0);
    CHECK_EQUAL(pthread_mutex_unlock(&errorcheck), EPERM);
    CHECK_EQUAL(pthread_mutex_trylock(&recursive), 0);
    for (int i = 0; i < 3; i++)
        CHECK_EQUAL(pthread_mutex_unlock(&recursive), 0);
    CHECK_EQUAL(sem_post(&locked), 0);
    CHECK_EQUAL(sem_wait(&looked), 0);
    CHECK_EQUAL(pthread_mutex_unlock(&recursive), 0);
    CHECK_EQUAL(pthread_mutex_unlock(&recursive), EPERM);
    return argument;
}

int main(void)
{
    CHECK_EQUAL(sem_init(&locked, 0, 0), 0);
    CHECK_EQUAL(sem_init(&looked, 0, 0), 0);
    pthread_t thread = guest_start(owner, NULL);

    CHECK_EQUAL(sem_wait(&locked), 0);
    CHECK_EQUAL(pthread_mutex_unlock(&errorcheck), EPERM);
    CHECK_EQUAL(pthread_mutex_unlock(&recursive), EPERM);
    CHECK_EQUAL(pthread_mutex_trylock(&recursive), EBUSY);
    CHECK_EQUAL(sem_post(&looked), 0);

    CHECK_EQUAL(sem_wait(&locked), 0);
    CHECK_EQUAL(pthread_mutex_trylock(&errorcheck), 0);
    CHECK_EQUAL(pthread_mutex_unlock(&errorcheck), 0);
    CHECK_EQUAL(pthread_mutex_trylock(&recursive), EBUSY); // one lock is left
    CHECK_EQUAL(sem_post(&looked), 0);
    CHECK_EQUAL(pthread_mutex_lock(&recursive), 0);
    guest_join(thread);
    CHECK_EQUAL(pthread_mutex_unlock(&recursive), 0);
    return guest_success();
}
