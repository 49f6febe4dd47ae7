// SPDX-License-Identifier: MIT
/*
 * mutex: four threads share one mutex; one operation is one lock and unlock by any of them, with a critical
 * section of 16 dependent additions. In every 16th the holder calls sched_yield before it unlocks, so that
 * others run into the locked mutex and really wait, on one core too.
 */
#include "bench.h"

#include <sched.h>

enum { THREADS = 4, SECTION = 16, YIELD_EVERY = 16 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static volatile uint64_t counter; /* protected by mutex */

static void *contend(void *argument)
{
    uint64_t count = *(uint64_t *)argument / THREADS;

    for (uint64_t i = 1; i <= count; i++) {
        pthread_mutex_lock(&mutex);
        for (int step = 0; step < SECTION; step++)
            counter++;
        if (i % YIELD_EVERY == 0)
            sched_yield();
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

static uint64_t run(uint64_t operations)
{
    pthread_t threads[THREADS];
    uint64_t began = bench_now();

    counter = 0;
    for (int i = 0; i < THREADS; i++)
        bench_start(&threads[i], contend, &operations);
    for (int i = 0; i < THREADS; i++)
        bench_join(threads[i]);
    began = bench_now() - began;
    if (counter != operations / THREADS * THREADS * SECTION) {
        fprintf(stderr, "mutex: the counter is wrong\n");
        exit(1);
    }
    return began;
}

int main(int argc, char **argv)
{
    return bench_main(argc, argv, run);
}
