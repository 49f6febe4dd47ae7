// SPDX-License-Identifier: MIT
// Claims: as many threads as memory has room for can wait on one condition variable, all are woken by one
// broadcast, and all can be joined. Afterwards the memory is given back.
#include "scale.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t go = PTHREAD_COND_INITIALIZER, all_in = PTHREAD_COND_INITIALIZER;
static long count, waiting, woken;
static bool open;

static void *body(void *index)
{
    CHECK_EQUAL(pthread_mutex_lock(&mutex), 0);
    if (++waiting == count)
        CHECK_EQUAL(pthread_cond_signal(&all_in), 0);
    while (!open)
        CHECK_EQUAL(pthread_cond_wait(&go, &mutex), 0);
    woken++;
    CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);
    return index;
}

static void phase(const char *what, int64_t began, int64_t cpu)
{
    scale_figure("%s: %.3f s, CPU %.0f ns each, %ld MiB\n", what,
                 (double)(guest_now(CLOCK_MONOTONIC) - began) / 1e9,
                 (double)(scale_cpu() - cpu) / (double)count, scale_memory() >> 10);
}

int main(int argc, char **argv)
{
    count = scale_arguments(argc, argv);
    pthread_t *threads = (pthread_t *)calloc((size_t)count, sizeof(*threads));
    CHECK(threads != NULL);
    memset(threads, 1, (size_t)count * sizeof(*threads));
    long before = scale_memory();

    int64_t began = guest_now(CLOCK_MONOTONIC), cpu = scale_cpu();
    for (long i = 0; i < count; i++) {
        int error = pthread_create(&threads[i], NULL, body, (void *)i);
        if (error) {
            printf("stopped at thread %ld: %s\n", i, strerror(error));
            fflush(stdout);
            _exit(3);
        }
    }
    CHECK_EQUAL(pthread_mutex_lock(&mutex), 0);
    while (waiting < count)
        CHECK_EQUAL(pthread_cond_wait(&all_in, &mutex), 0);
    phase("created and parked", began, cpu);
    scale_figure("bytes each: %ld\n", (scale_memory() - before) * 1024 / count);

    began = guest_now(CLOCK_MONOTONIC), cpu = scale_cpu();
    open = true;
    CHECK_EQUAL(pthread_cond_broadcast(&go), 0);
    CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);
    for (long i = 0; i < count; i++)
        CHECK_EQUAL((intptr_t)guest_join(threads[i]), i);
    phase("woken and joined", began, cpu);

    CHECK_EQUAL(woken, count);
    CHECK(scale_memory() - before < 64 << 10 || scale_memory() - before < count * 2);
    printf("%ld threads\n", woken);
    return guest_success();
}
