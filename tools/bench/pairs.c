// SPDX-License-Identifier: MIT
/*
 * pairs N MICROSECONDS: N pairs of threads hand a turn to each other by a mutex and a condition variable, and
 * each thread computes for that long after it has handed over; one operation is one hand-over of any of them.
 * All pairs, and both threads of a pair, can compute at the same time.
 */
#include "bench.h"

enum { MOST = 64, TRIAL = 1000000 };

static struct pair {
    _Alignas(128) pthread_mutex_t mutex; /* pairs share no cache line */
    pthread_cond_t changed;
    uint64_t turns, last;
} pairs[MOST];

static struct side {
    struct pair *pair;
    unsigned which;
} sides[2 * MOST];

static unsigned long count;
static uint64_t steps; /* of the computation after each hand-over */

static void compute(uint64_t times)
{
    for (uint64_t i = 0; i < times; i++)
        __asm__ volatile(""); /* in registers: its speed depends on no cache and no stack */
}

/* How many steps take a microsecond: the least of some trials, which nobody interrupts. */
static double steps_of_a_microsecond(void)
{
    uint64_t least = UINT64_MAX;

    for (int i = 0; i < 20; i++) {
        uint64_t began = bench_now(), took;

        compute(TRIAL);
        took = bench_now() - began;
        least = took < least ? took : least;
    }
    return TRIAL * 1000.0 / (double)least;
}

static void *take_turns(void *argument)
{
    struct side *side = argument;
    struct pair *pair = side->pair;

    for (;;) {
        pthread_mutex_lock(&pair->mutex);
        while (pair->turns < pair->last && pair->turns % 2 != side->which)
            pthread_cond_wait(&pair->changed, &pair->mutex);
        if (pair->turns >= pair->last) {
            pthread_mutex_unlock(&pair->mutex);
            pthread_cond_signal(&pair->changed);
            return NULL;
        }
        pair->turns++;
        pthread_mutex_unlock(&pair->mutex);
        pthread_cond_signal(&pair->changed);
        compute(steps);
    }
}

static uint64_t run(uint64_t operations)
{
    pthread_t threads[2 * MOST];
    uint64_t began = bench_now();

    for (unsigned i = 0; i < 2 * count; i++) {
        struct pair *pair = &pairs[i / 2];

        if (i % 2 == 0)
            *pair =
                (struct pair){PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, operations / count + 1};
        sides[i] = (struct side){pair, i % 2};
        bench_start(&threads[i], take_turns, &sides[i]);
    }
    for (unsigned i = 0; i < 2 * count; i++)
        bench_join(threads[i]);
    return bench_now() - began;
}

int main(int argc, char **argv)
{
    double microseconds = argc > 2 ? strtod(argv[2], NULL) : -1;

    count = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
    if (count == 0 || count > MOST || microseconds < 0) {
        fprintf(stderr, "usage: %s PAIRS MICROSECONDS [MILLISECONDS]\n", argv[0]);
        return 2;
    }
    steps = (uint64_t)(microseconds * steps_of_a_microsecond());
    return bench_main(argc - 2, argv + 2, run);
}
