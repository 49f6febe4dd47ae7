// SPDX-License-Identifier: MIT
// Claims: a thread that ended long ago can be joined and its value is kept. That it has ended is seen from
// pthread_getcpuclockid, which knows no ended threads.
#include <sched.h>
#include "guest.h"

#define THREADS 50

static void *body(void *index)
{
    return (void *)((intptr_t)index * 3);
}

int main(void)
{
    pthread_t threads[THREADS];
    clockid_t clock;
    intptr_t sum = 0;

    for (intptr_t i = 0; i < THREADS; i++)
        threads[i] = guest_start(body, (void *)i);
    for (int i = 0; i < THREADS; i++)
        while (pthread_getcpuclockid(threads[i], &clock) != ESRCH)
            sched_yield();

    for (intptr_t i = 0; i < THREADS; i++) {
        void *result;
        if (i % 2 == 0)
            CHECK_EQUAL(pthread_join(threads[i], &result), 0);
        else
            CHECK_EQUAL(pthread_tryjoin_np(threads[i], &result), 0);
        CHECK_EQUAL((intptr_t)result, 3 * i);
        sum += (intptr_t)result;
    }
    printf("sum: %ld\n", (long)sum);
    return guest_success();
}
