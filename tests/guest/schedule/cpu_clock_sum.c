// SPDX-License-Identifier: MIT
// Claims: what the clocks of all threads say together is no more than what the process's says, and most of
// it, however they compute, wait and change places; and no clock runs backwards for another who reads it.
#include <sched.h>
#include <stdatomic.h>
#include "clock.h"

enum { THREADS = 6, ROUNDS = 400 };

static pthread_barrier_t together;
static clockid_t clocks[THREADS];
static int64_t used[THREADS];
static atomic_int working = THREADS;

static void *works(void *index)
{
    int me = (int)(intptr_t)index;
    clocks[me] = clock_of(pthread_self());
    int64_t begin = guest_now(CLOCK_THREAD_CPUTIME_ID);
    pthread_barrier_wait(&together);
    for (int i = 0; i < ROUNDS; i++) {
        compute((unsigned)(1000 << (i + me) % 8));
        if (i % 3 == 0)
            sched_yield();
        if (i % 100 == me)
            CHECK_EQUAL(usleep(100), 0);
    }
    used[me] = guest_now(clocks[me]) - begin;
    atomic_fetch_sub(&working, 1);
    pthread_barrier_wait(&together);
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    int64_t last[THREADS] = {0}, sum = 0;
    int64_t mine = guest_now(CLOCK_THREAD_CPUTIME_ID), begin = guest_now(CLOCK_PROCESS_CPUTIME_ID);
    CHECK_EQUAL(pthread_barrier_init(&together, NULL, THREADS + 1), 0);
    for (int i = 0; i < THREADS; i++)
        threads[i] = guest_start(works, (void *)(intptr_t)i);
    pthread_barrier_wait(&together);
    while (atomic_load(&working) > 0) {
        for (int i = 0; i < THREADS; i++) {
            int64_t now = guest_now(clocks[i]);
            CHECK(now >= last[i]);
            last[i] = now;
        }
        sched_yield();
    }
    pthread_barrier_wait(&together);
    for (int i = 0; i < THREADS; i++)
        guest_join(threads[i]);
    int64_t process = guest_now(CLOCK_PROCESS_CPUTIME_ID) - begin;
    sum = guest_now(CLOCK_THREAD_CPUTIME_ID) - mine;
    for (int i = 0; i < THREADS; i++)
        sum += used[i];
    if (sum > process + GUEST_MILLISECOND || sum < process * 3 / 5)
        fprintf(stderr, "sum %lld of %lld\n", (long long)sum, (long long)process);
    CHECK(sum <= process + GUEST_MILLISECOND);
    CHECK(sum >= process * 3 / 5);
    return guest_success();
}
