// SPDX-License-Identifier: MIT
// Claims: C11 thread-specific storage is per thread and destroyed at the thread's end; _Thread_local starts
// fresh in each; call_once calls once.
#include <stdatomic.h>
#include <threads.h>
#include "guest.h"

#define THREADS 24

static tss_t key;
static once_flag once = ONCE_FLAG_INIT;
static atomic_int calls, destroyed, arrived;
static _Thread_local int own = 5;

static void initialise(void)
{
    while (atomic_load(&arrived) < THREADS)
        thrd_yield();
    CHECK_EQUAL(tss_create(&key, (tss_dtor_t)free), thrd_success);
    atomic_fetch_add(&calls, 1);
}

static void destroy(void *value)
{
    atomic_fetch_add(&destroyed, *(int *)value);
    free(value);
}

static tss_t counted;

static int body(void *index)
{
    int me = (int)(intptr_t)index, *value = (int *)malloc(sizeof(*value));

    atomic_fetch_add(&arrived, 1);
    call_once(&once, initialise);
    CHECK_EQUAL(atomic_load(&calls), 1);
    CHECK_EQUAL(own, 5);
    own += me;
    CHECK(tss_get(key) == NULL && tss_get(counted) == NULL);
    *value = me;
    CHECK_EQUAL(tss_set(counted, value), thrd_success);
    CHECK_EQUAL(tss_set(key, malloc(100)), thrd_success);
    thrd_yield();
    CHECK(tss_get(counted) == value);
    CHECK_EQUAL(*value, me);
    CHECK_EQUAL(own, 5 + me);
    return 0;
}

int main(void)
{
    thrd_t threads[THREADS];

    CHECK_EQUAL(tss_create(&counted, destroy), thrd_success);
    for (intptr_t i = 0; i < THREADS; i++)
        CHECK_EQUAL(thrd_create(&threads[i], body, (void *)i), thrd_success);
    for (int i = 0; i < THREADS; i++)
        CHECK_EQUAL(thrd_join(threads[i], NULL), thrd_success);
    printf("calls: %d, sum of the destroyed: %d\n", calls, destroyed);
    CHECK_EQUAL(calls, 1);
    CHECK_EQUAL(destroyed, THREADS * (THREADS - 1) / 2);
    return guest_success();
}
