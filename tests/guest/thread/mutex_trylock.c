// SPDX-License-Identifier: MIT
// Claims: trylock never blocks: of many threads that try while it is held none gets it, and counting with
// trylock in a loop loses nothing.
#include <sched.h>
#include "guest.h"

#define THREADS 8
#define ROUNDS  80

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static volatile int counter;

static void *try_once(void *index)
{
    (void)index;
    return (void *)(intptr_t)(pthread_mutex_trylock(&mutex) == EBUSY);
}

static void *try_always(void *index)
{
    for (int i = 0; i < ROUNDS; i++) {
        while (pthread_mutex_trylock(&mutex) != 0)
            sched_yield();
        int seen = counter;
        if (i % 8 == 0)
            sched_yield();
        counter = seen + 1;
        CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);
    }
    return index;
}

int main(void)
{
    CHECK_EQUAL(pthread_mutex_trylock(&mutex), 0);
    intptr_t busy = guest_threads(THREADS, try_once);
    CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);
    guest_threads(THREADS, try_always);
    printf("busy: %ld, counter: %d\n", (long)busy, counter);
    CHECK_EQUAL(busy, THREADS);
    CHECK_EQUAL(counter, THREADS * ROUNDS);
    return guest_success();
}
