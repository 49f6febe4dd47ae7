// SPDX-License-Identifier: MIT
// Claims: behind a waiting writer new readers are refused by a rwlock that prefers writers, and admitted by
// one that prefers readers; the writer gets it when the reader leaves.
#include <sched.h>
#include <semaphore.h>
#include "guest.h"

static pthread_rwlock_t lock;
static sem_t starting;
static int written;

static void *write_once(void *argument)
{
    CHECK_EQUAL(sem_post(&starting), 0);
    CHECK_EQUAL(pthread_rwlock_wrlock(&lock), 0);
    written = 1;
    CHECK_EQUAL(pthread_rwlock_unlock(&lock), 0);
    return argument;
}

static void initialise(int kind)
{
    pthread_rwlockattr_t attributes;
    CHECK_EQUAL(pthread_rwlockattr_init(&attributes), 0);
    CHECK_EQUAL(pthread_rwlockattr_setkind_np(&attributes, kind), 0);
    CHECK_EQUAL(pthread_rwlock_init(&lock, &attributes), 0);
    written = 0;
}

int main(void)
{
    CHECK_EQUAL(sem_init(&starting, 0, 0), 0);

    initialise(PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    CHECK_EQUAL(pthread_rwlock_rdlock(&lock), 0);
    pthread_t writer = guest_start(write_once, NULL);
    while (pthread_rwlock_tryrdlock(&lock) == 0) { // until the writer waits
        CHECK_EQUAL(pthread_rwlock_unlock(&lock), 0);
        sched_yield();
    }
    CHECK_EQUAL(pthread_rwlock_tryrdlock(&lock), EBUSY);
    CHECK_EQUAL(written, 0);
    CHECK_EQUAL(pthread_rwlock_unlock(&lock), 0);
    CHECK_EQUAL(pthread_rwlock_rdlock(&lock), 0); // behind the writer
    CHECK_EQUAL(written, 1);
    CHECK_EQUAL(pthread_rwlock_unlock(&lock), 0);
    guest_join(writer);
    CHECK_EQUAL(sem_wait(&starting), 0);
    CHECK_EQUAL(pthread_rwlock_destroy(&lock), 0);

    initialise(PTHREAD_RWLOCK_PREFER_READER_NP);
    CHECK_EQUAL(pthread_rwlock_rdlock(&lock), 0);
    writer = guest_start(write_once, NULL);
    CHECK_EQUAL(sem_wait(&starting), 0);
    for (int i = 0; i < 200; i++) {
        sched_yield();
        CHECK_EQUAL(pthread_rwlock_tryrdlock(&lock), 0);
        CHECK_EQUAL(pthread_rwlock_unlock(&lock), 0);
        CHECK_EQUAL(__atomic_load_n(&written, __ATOMIC_RELAXED), 0);
    }
    CHECK_EQUAL(pthread_rwlock_unlock(&lock), 0);
    guest_join(writer);
    CHECK_EQUAL(written, 1);
    return guest_success();
}
