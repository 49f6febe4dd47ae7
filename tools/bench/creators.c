// SPDX-License-Identifier: MIT
/*
 * creators N: N threads each create threads with default attributes that return at once, and join them; one
 * operation is a creation and its join by any of them.
 */
#include "bench.h"

enum { MOST = 64 };

static unsigned long creators;
static pthread_barrier_t start_line;

static void *nothing(void *argument)
{
    return argument;
}

static void *create(void *argument)
{
    uint64_t count = *(uint64_t *)argument / creators;

    pthread_barrier_wait(&start_line);
    for (uint64_t i = 0; i < count; i++) {
        pthread_t thread;

        bench_start(&thread, nothing, NULL);
        bench_join(thread);
    }
    return NULL;
}

static uint64_t run(uint64_t operations)
{
    pthread_t threads[MOST];
    uint64_t began;

    bench_check(pthread_barrier_init(&start_line, NULL, (unsigned)creators + 1), "pthread_barrier_init");
    for (unsigned long i = 0; i < creators; i++)
        bench_start(&threads[i], create, &operations);
    began = bench_now();
    pthread_barrier_wait(&start_line);
    for (unsigned long i = 0; i < creators; i++)
        bench_join(threads[i]);
    began = bench_now() - began;
    pthread_barrier_destroy(&start_line);
    return began;
}

int main(int argc, char **argv)
{
    creators = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
    if (creators == 0 || creators > MOST) {
        fprintf(stderr, "usage: %s CREATORS [MILLISECONDS]\n", argv[0]);
        return 2;
    }
    return bench_main(argc - 1, argv + 1, run);
}
