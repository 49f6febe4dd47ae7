// SPDX-License-Identifier: MIT
// Claims: a thread that waits for a robust mutex, or for a process-shared condition variable in memory of its
// own process, can be cancelled and timed out as any other, and the memory may be of any kind: static, heap,
// stack.
#include <semaphore.h>
#include "guest.h"

struct pair {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    sem_t waiting;
};

static struct pair in_data;

static void initialize(struct pair *pair)
{
    pthread_mutexattr_t mutex;
    pthread_condattr_t condition;
    CHECK_EQUAL(pthread_mutexattr_init(&mutex), 0);
    CHECK_EQUAL(pthread_mutexattr_setpshared(&mutex, PTHREAD_PROCESS_SHARED), 0);
    CHECK_EQUAL(pthread_mutexattr_setrobust(&mutex, PTHREAD_MUTEX_ROBUST), 0);
    CHECK_EQUAL(pthread_mutex_init(&pair->mutex, &mutex), 0);
    CHECK_EQUAL(pthread_condattr_init(&condition), 0);
    CHECK_EQUAL(pthread_condattr_setpshared(&condition, PTHREAD_PROCESS_SHARED), 0);
    CHECK_EQUAL(pthread_condattr_setclock(&condition, CLOCK_MONOTONIC), 0);
    CHECK_EQUAL(pthread_cond_init(&pair->changed, &condition), 0);
    CHECK_EQUAL(sem_init(&pair->waiting, 1, 0), 0);
}

static void unlock(void *pair)
{
    CHECK_EQUAL(pthread_mutex_unlock(&((struct pair *)pair)->mutex), 0);
}

static void *waits(void *argument)
{
    struct pair *pair = argument;
    CHECK_EQUAL(pthread_mutex_lock(&pair->mutex), 0);
    pthread_cleanup_push(unlock, pair);
    struct timespec soon = guest_timespec(guest_now(CLOCK_MONOTONIC) + 2 * GUEST_MILLISECOND);
    int result;
    while ((result = pthread_cond_timedwait(&pair->changed, &pair->mutex, &soon)) == 0)
        continue;
    CHECK_EQUAL(result, ETIMEDOUT);
    CHECK_EQUAL(sem_post(&pair->waiting), 0);
    for (;;)
        CHECK_EQUAL(pthread_cond_wait(&pair->changed, &pair->mutex), 0);
    pthread_cleanup_pop(1);
    return NULL;
}

static void *dies(void *argument)
{
    CHECK_EQUAL(pthread_mutex_lock(&((struct pair *)argument)->mutex), 0);
    return NULL;
}

static void *inherits(void *argument)
{
    struct pair *pair = argument;
    CHECK_EQUAL(pthread_mutex_lock(&pair->mutex), EOWNERDEAD);
    CHECK_EQUAL(pthread_mutex_consistent(&pair->mutex), 0);
    unlock(pair);
    return NULL;
}

static void try_in(struct pair *pair)
{
    initialize(pair);
    pthread_t waiter = guest_start(waits, pair);
    CHECK_EQUAL(sem_wait(&pair->waiting), 0);
    CHECK_EQUAL(pthread_mutex_lock(&pair->mutex), 0); // it waits for the condition, or is about to lock again
    CHECK_EQUAL(pthread_cond_broadcast(&pair->changed), 0);
    CHECK_EQUAL(pthread_cancel(waiter), 0);
    unlock(pair);
    CHECK(guest_join(waiter) == PTHREAD_CANCELED);
    guest_join(guest_start(dies, pair));
    guest_join(guest_start(inherits, pair));
    CHECK_EQUAL(pthread_mutex_destroy(&pair->mutex), 0);
}

int main(void)
{
    struct pair on_stack, *on_heap = malloc(sizeof *on_heap);
    CHECK(on_heap != NULL);
    try_in(&in_data);
    try_in(on_heap);
    try_in(&on_stack);
    free(on_heap);
    return guest_success();
}
