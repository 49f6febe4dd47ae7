// SPDX-License-Identifier: MIT
// Claims: of many threads that call pthread_once together one runs the routine, and none returns before it is
// done, even when the routine itself blocks.
#include <sched.h>
#include "guest.h"

#define THREADS 32

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int arrived, runs, done;

static void initialise(void)
{
    __atomic_fetch_add(&runs, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&arrived, __ATOMIC_SEQ_CST) < THREADS)
        sched_yield();
    usleep(1000);
    __atomic_store_n(&done, 1, __ATOMIC_SEQ_CST);
}

static void *body(void *index)
{
    __atomic_fetch_add(&arrived, 1, __ATOMIC_SEQ_CST);
    CHECK_EQUAL(pthread_once(&once, initialise), 0);
    CHECK_EQUAL(__atomic_load_n(&done, __ATOMIC_SEQ_CST), 1);
    return index;
}

int main(void)
{
    guest_threads(THREADS, body);
    printf("runs: %d\n", runs);
    CHECK_EQUAL(runs, 1);
    return guest_success();
}
