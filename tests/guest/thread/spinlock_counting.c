// SPDX-License-Identifier: MIT
// Claims: spin locks exclude and everybody gets on, also when a holder yields or sleeps while others spin.
#include <sched.h>
#include "guest.h"

#define THREADS 4
#define ROUNDS  500

static pthread_spinlock_t lock;
static volatile int counter;

static void *body(void *index)
{
    for (int i = 0; i < ROUNDS; i++) {
        CHECK_EQUAL(pthread_spin_lock(&lock), 0);
        int seen = counter;
        if (i == 250)
            sched_yield();
        if (i == 499)
            usleep(1);
        counter = seen + 1;
        CHECK_EQUAL(pthread_spin_unlock(&lock), 0);
    }
    return index;
}

static void *try_once(void *index)
{
    (void)index;
    return (void *)(intptr_t)(pthread_spin_trylock(&lock) == EBUSY);
}

int main(void)
{
    CHECK_EQUAL(pthread_spin_init(&lock, PTHREAD_PROCESS_PRIVATE), 0);
    guest_threads(THREADS, body);
    CHECK_EQUAL(pthread_spin_trylock(&lock), 0);
    intptr_t busy = guest_threads(THREADS, try_once);
    CHECK_EQUAL(pthread_spin_unlock(&lock), 0);
    printf("counter: %d, busy: %ld\n", counter, (long)busy);
    CHECK_EQUAL(counter, THREADS * ROUNDS);
    CHECK_EQUAL(busy, THREADS);
    return guest_success();
}
