// SPDX-License-Identifier: MIT
// Claims: with asynchronous cancellation a thread is cancelled also where no cancellation point is: blocked
// in pthread_mutex_lock, pthread_barrier_wait or pthread_rwlock_wrlock, spinning on sched_yield, and in a
// read.
#include <sched.h>
#include <semaphore.h>
#include "guest.h"

#define WAYS 5

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t barrier;
static sem_t ready;
static int empty[2], cleaned;

static void clean(void *argument)
{
    (void)argument;
    __atomic_fetch_add(&cleaned, 1, __ATOMIC_RELAXED);
}

static void *body(void *way)
{
    char byte;
    pthread_cleanup_push(clean, NULL);
    CHECK_EQUAL(sem_post(&ready), 0);
    CHECK_EQUAL(pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL), 0);
    switch ((intptr_t)way) {
    case 0:
        pthread_mutex_lock(&mutex);
        break;
    case 1:
        pthread_barrier_wait(&barrier);
        break;
    case 2:
        pthread_rwlock_wrlock(&rwlock);
        break;
    case 3:
        for (;;)
            sched_yield();
    case 4:
        CHECK_EQUAL(read(empty[0], &byte, 1), 1);
        break;
    }
    CHECK(!"it was not cancelled");
    pthread_cleanup_pop(0);
    return NULL;
}

int main(void)
{
    pthread_t threads[WAYS];

    CHECK_EQUAL(sem_init(&ready, 0, 0), 0);
    CHECK_EQUAL(pipe(empty), 0);
    CHECK_EQUAL(pthread_barrier_init(&barrier, NULL, 2), 0);
    CHECK_EQUAL(pthread_mutex_lock(&mutex), 0);
    CHECK_EQUAL(pthread_rwlock_rdlock(&rwlock), 0);
    for (intptr_t i = 0; i < WAYS; i++)
        threads[i] = guest_start(body, (void *)i);
    for (int i = 0; i < WAYS; i++)
        CHECK_EQUAL(sem_wait(&ready), 0);
    usleep(2000);
    for (int i = 0; i < WAYS; i++)
        CHECK_EQUAL(pthread_cancel(threads[i]), 0);
    for (int i = 0; i < WAYS; i++)
        CHECK(guest_join(threads[i]) == PTHREAD_CANCELED);
    printf("cleaned %d\n", cleaned);
    return guest_success();
}
