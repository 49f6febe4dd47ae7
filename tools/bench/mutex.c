// SPDX-License-Identifier: MIT
/*
 * mutex: threads share one mutex; one operation is one lock and unlock by any of them, with a critical
 * section of 16 dependent additions. In every 16th the holder calls sched_yield before it unlocks, so that
 * others run into the locked mutex and really wait, on one core too.
 *
 *     mutex THREADS [MS]
 */
#include "bench.h"

#include <sched.h>

enum { MOST_THREADS = 1024, SECTION = 16, YIELD_EVERY = 16 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static uint64_t thread_count;
static volatile uint64_t counter; /* protected by mutex */

static void *contend(void *argument)
{
    uint64_t count = *(uint64_t *)argument / thread_count;

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
    static pthread_t threads[MOST_THREADS];
    uint64_t began = bench_now();

    counter = 0;
    for (uint64_t i = 0; i < thread_count; i++)
        bench_start(&threads[i], contend, &operations);
    for (uint64_t i = 0; i < thread_count; i++)
        bench_join(threads[i]);
    began = bench_now() - began;
    if (counter != operations / thread_count * thread_count * SECTION) {
        fprintf(stderr, "mutex: the counter is wrong\n");
        exit(1);
    }
    return began;
}

int main(int argc, char **argv)
{
    thread_count = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
    if (thread_count < 1 || thread_count > MOST_THREADS) {
        fprintf(stderr, "usage: mutex THREADS [MS], THREADS from 1 to %d\n", MOST_THREADS);
        return 2;
    }
    return bench_main(argc - 1, argv + 1, run);
}
