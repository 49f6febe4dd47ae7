// SPDX-License-Identifier: MIT
// Claims: at a thread's end the destructor of each key with a value runs once with that value; one that sets
// a value again is called again, PTHREAD_DESTRUCTOR_ITERATIONS times in all; values that are NULL and deleted
// keys call nothing.
#include <limits.h>
#include <sched.h>
#include "guest.h"

#define THREADS 8
#define KEYS    40

static pthread_barrier_t meeting;
static pthread_key_t keys[KEYS], again, late, emptied, deleted;
static int values[THREADS][KEYS];
static int again_calls, late_calls;

static void destroy(void *value)
{
    sched_yield(); // destructors may block
    __atomic_fetch_add((int *)value, 1, __ATOMIC_RELAXED);
}

static void set_again(void *value)
{
    CHECK(pthread_getspecific(again) == NULL);
    CHECK(value == &again);
    __atomic_fetch_add(&again_calls, 1, __ATOMIC_RELAXED);
    CHECK_EQUAL(pthread_setspecific(again, value), 0);
    CHECK_EQUAL(pthread_setspecific(late, &late), 0);
}

static void destroy_late(void *value)
{
    CHECK(value == &late);
    __atomic_fetch_add(&late_calls, 1, __ATOMIC_RELAXED);
}

static void fail(void *value)
{
    (void)value;
    CHECK(!"this destructor must not run");
}

static void *body(void *index)
{
    for (int i = 0; i < KEYS; i++)
        CHECK_EQUAL(pthread_setspecific(keys[i], &values[(intptr_t)index][i]), 0);
    CHECK_EQUAL(pthread_setspecific(again, &again), 0);
    CHECK_EQUAL(pthread_setspecific(deleted, &deleted), 0);
    CHECK_EQUAL(pthread_setspecific(emptied, &emptied), 0);
    CHECK_EQUAL(pthread_setspecific(emptied, NULL), 0);
    pthread_barrier_wait(&meeting);
    pthread_barrier_wait(&meeting); // main has deleted a key
    for (int i = 0; i < KEYS; i++)
        CHECK(pthread_getspecific(keys[i]) == &values[(intptr_t)index][i]);
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];

    CHECK_EQUAL(pthread_barrier_init(&meeting, NULL, THREADS + 1), 0);
    for (int i = 0; i < KEYS; i++)
        CHECK_EQUAL(pthread_key_create(&keys[i], destroy), 0);
    CHECK_EQUAL(pthread_key_create(&again, set_again), 0);
    CHECK_EQUAL(pthread_key_create(&late, destroy_late), 0);
    CHECK_EQUAL(pthread_key_create(&emptied, fail), 0);
    CHECK_EQUAL(pthread_key_create(&deleted, fail), 0);

    for (intptr_t i = 0; i < THREADS; i++)
        threads[i] = guest_start(body, (void *)i);
    pthread_barrier_wait(&meeting);
    CHECK_EQUAL(pthread_key_delete(deleted), 0);
    pthread_barrier_wait(&meeting);
    for (int i = 0; i < THREADS; i++)
        guest_join(threads[i]);

    for (int i = 0; i < THREADS; i++)
        for (int j = 0; j < KEYS; j++)
            CHECK_EQUAL(values[i][j], 1);
    CHECK_EQUAL(again_calls, THREADS * PTHREAD_DESTRUCTOR_ITERATIONS);
    // A key that is set while destructors run is destroyed in the same iteration or in the next, if there is
    // one.
    CHECK(late_calls >= THREADS * (PTHREAD_DESTRUCTOR_ITERATIONS - 1) && late_calls <= again_calls);
    return guest_success();
}
