// SPDX-License-Identifier: MIT
/*
 * What the micro-benchmarks share. Each is a plain program that prints one figure, ns per operation, and
 * takes one optional argument: for how many ms to measure (250 when not given). The count of operations is
 * doubled (or more) until one run lasts that long; that last run is the figure, so start-up, weft's
 * activation included, is not in it.
 */
#ifndef WEFT_BENCH_H
#define WEFT_BENCH_H

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static inline uint64_t bench_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline void bench_check(int error, const char *what)
{
    if (error == 0)
        return;
    fprintf(stderr, "%s: %s\n", what, strerror(error));
    exit(1);
}

static inline void bench_start(pthread_t *thread, void *(*function)(void *), void *argument)
{
    bench_check(pthread_create(thread, NULL, function, argument), "pthread_create");
}

static inline void bench_join(pthread_t thread)
{
    bench_check(pthread_join(thread, NULL), "pthread_join");
}

/* run(n) does n operations and returns the ns that they took. */
static inline int bench_main(int argc, char **argv, uint64_t (*run)(uint64_t operations))
{
    uint64_t target = (argc > 1 ? strtoul(argv[1], NULL, 10) : 250) * 1000000u;
    uint64_t operations = 16;

    for (;;) {
        uint64_t elapsed = run(operations);
        uint64_t growth = 16;

        if (elapsed >= target) {
            printf("%.1f\n", (double)elapsed / (double)operations);
            return 0;
        }
        if (elapsed > target / 16)
            growth = target * 5 / 4 / elapsed + 1;
        operations *= growth;
    }
}

#endif
