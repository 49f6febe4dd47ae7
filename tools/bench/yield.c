// SPDX-License-Identifier: MIT
/* yield: two threads that do nothing but sched_yield; one operation is one yield of either. */
#include "bench.h"

#include <sched.h>

static pthread_barrier_t start_line;

static void *yield(void *argument)
{
    uint64_t count = *(uint64_t *)argument / 2;

    pthread_barrier_wait(&start_line);
    for (uint64_t i = 0; i < count; i++)
        sched_yield();
    return NULL;
}

static uint64_t run(uint64_t operations)
{
    pthread_t threads[2];
    uint64_t began;

    bench_check(pthread_barrier_init(&start_line, NULL, 3), "pthread_barrier_init");
    for (int i = 0; i < 2; i++)
        bench_start(&threads[i], yield, &operations);
    began = bench_now();
    pthread_barrier_wait(&start_line);
    for (int i = 0; i < 2; i++)
        bench_join(threads[i]);
    began = bench_now() - began;
    pthread_barrier_destroy(&start_line);
    return began;
}

int main(int argc, char **argv)
{
    return bench_main(argc, argv, run);
}
