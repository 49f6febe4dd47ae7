// SPDX-License-Identifier: MIT
// Claims: a thread with asynchronous cancellation is cancelled in a computation that makes no call at all.
#include "guest.h"

#define THREADS 3

static int computing, cleaned;

static void clean(void *argument)
{
    (void)argument;
    __atomic_fetch_add(&cleaned, 1, __ATOMIC_RELAXED);
}

static void *body(void *argument)
{
    int old;
    pthread_cleanup_push(clean, NULL);
    CHECK_EQUAL(pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &old), 0);
    CHECK_EQUAL(old, PTHREAD_CANCEL_DEFERRED);
    __atomic_fetch_add(&computing, 1, __ATOMIC_RELAXED);
    for (;;)
        __asm__ volatile("");
    pthread_cleanup_pop(0);
    return argument;
}

int main(void)
{
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++)
        threads[i] = guest_start(body, NULL);
    while (__atomic_load_n(&computing, __ATOMIC_RELAXED) < THREADS)
        usleep(100);
    for (int i = 0; i < THREADS; i++)
        CHECK_EQUAL(pthread_cancel(threads[i]), 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(guest_join(threads[i]) == PTHREAD_CANCELED);
    printf("cleaned: %d\n", cleaned);
    CHECK_EQUAL(cleaned, THREADS);
    return guest_success();
}
