// SPDX-License-Identifier: MIT
// Claims: a thread cancelled in pthread_cond_wait or pthread_cond_timedwait has the mutex again when its
// cleanup handlers run; join gives PTHREAD_CANCELED; the mutex and the condition variable stay usable.
#include "guest.h"

#define THREADS 10

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static int waiting, cleaned;

static void clean(void *argument)
{
    (void)argument;
    cleaned++; // under the mutex
    CHECK_EQUAL(pthread_mutex_trylock(&mutex), EBUSY);
    CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);
}

static void *body(void *index)
{
    struct timespec time = guest_timespec(guest_now(CLOCK_REALTIME) + 1000 * GUEST_SECOND);
    CHECK_EQUAL(pthread_mutex_lock(&mutex), 0);
    waiting++;
    pthread_cleanup_push(clean, NULL);
    for (;;)
        if ((intptr_t)index % 2)
            CHECK_EQUAL(pthread_cond_wait(&never, &mutex), 0);
        else
            CHECK_EQUAL(pthread_cond_timedwait(&never, &mutex, &time), 0);
    pthread_cleanup_pop(0);
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];

    for (intptr_t i = 0; i < THREADS; i++)
        threads[i] = guest_start(body, (void *)i);
    for (int seen = 0; seen < THREADS; usleep(100)) {
        CHECK_EQUAL(pthread_mutex_lock(&mutex), 0);
        seen = waiting;
        CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);
    }
    for (int i = 0; i < THREADS; i++)
        CHECK_EQUAL(pthread_cancel(threads[i]), 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(guest_join(threads[i]) == PTHREAD_CANCELED);
    printf("cleaned: %d\n", cleaned);
    CHECK_EQUAL(cleaned, THREADS);
    CHECK_EQUAL(pthread_cond_destroy(&never), 0);
    CHECK_EQUAL(pthread_mutex_destroy(&mutex), 0);
    return guest_success();
}
