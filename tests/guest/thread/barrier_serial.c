// SPDX-License-Identifier: MIT
// Claims: nobody passes a barrier before all have arrived, and in each round exactly one thread is told to be
// the serial one.
#include "guest.h"

#define THREADS 16
#define ROUNDS  60

static pthread_barrier_t barrier;
static int arrived;

static void *body(void *argument)
{
    intptr_t serial = 0;
    (void)argument;
    for (int round = 1; round <= ROUNDS; round++) {
        __atomic_fetch_add(&arrived, 1, __ATOMIC_RELAXED);
        int result = pthread_barrier_wait(&barrier);
        CHECK(result == 0 || result == PTHREAD_BARRIER_SERIAL_THREAD);
        serial += result == PTHREAD_BARRIER_SERIAL_THREAD;
        int seen = __atomic_load_n(&arrived, __ATOMIC_RELAXED);
        CHECK(seen >= THREADS * round && seen < THREADS * (round + 1));
    }
    return (void *)serial;
}

int main(void)
{
    CHECK_EQUAL(pthread_barrier_init(&barrier, NULL, THREADS), 0);
    intptr_t serial = guest_threads(THREADS, body);
    printf("serial: %ld\n", (long)serial);
    CHECK_EQUAL(serial, ROUNDS);
    CHECK_EQUAL(pthread_barrier_destroy(&barrier), 0);
    return guest_success();
}
