// SPDX-License-Identifier: MIT
// Claims: many threads that sleep until different moments all wake, none before its moment.
#include "scale.h"

#define SPREAD (2 * GUEST_SECOND)

static int64_t start; // when all have been created
static int64_t *lateness;
static long count;
static pthread_barrier_t created;

static void *body(void *argument)
{
    long index = (long)(intptr_t)argument;

    pthread_barrier_wait(&created);
    // All moments differ; neighbours in creation are far apart in time.
    int64_t moment = start + index * 7919 % count * (SPREAD / count);
    struct timespec time = guest_timespec(moment);
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) != 0)
        continue;
    lateness[index] = guest_now(CLOCK_MONOTONIC) - moment;
    return (void *)(intptr_t)(lateness[index] >= 0);
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
    long punctual = 0;

    count = scale_arguments(argc, argv);
    CHECK(count % 7919 != 0);
    pthread_t *threads = (pthread_t *)calloc((size_t)count, sizeof(*threads));
    lateness = (int64_t *)calloc((size_t)count, sizeof(*lateness));
    CHECK(threads != NULL && lateness != NULL);
    CHECK_EQUAL(pthread_barrier_init(&created, NULL, (unsigned)count + 1), 0);
    for (long i = 0; i < count; i++)
        CHECK_EQUAL(pthread_create(&threads[i], NULL, body, (void *)i), 0);
    // Time for all of them to pass the barrier and fall asleep, by what that takes them at most.
    start = guest_now(CLOCK_MONOTONIC) + GUEST_SECOND / 2 + count * 20000;
    pthread_barrier_wait(&created);
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME,
                    &(struct timespec){(start - GUEST_SECOND / 100) / GUEST_SECOND,
                                       (start - GUEST_SECOND / 100) % GUEST_SECOND},
                    NULL);
    scale_figure("asleep: %ld MiB\n", scale_memory() >> 10);
    int64_t cpu = scale_cpu();
    for (long i = 0; i < count; i++)
        punctual += (intptr_t)guest_join(threads[i]);
    cpu = scale_cpu() - cpu;
    qsort(lateness, (size_t)count, sizeof(*lateness), compare);
    scale_figure("late by us: median %.0f, 90 %% %.0f, 99 %% %.0f, 99.9 %% %.0f, most %.0f\n",
                 (double)lateness[count / 2] / 1e3, (double)lateness[count * 9 / 10] / 1e3,
                 (double)lateness[count * 99 / 100] / 1e3, (double)lateness[count - 1 - count / 1000] / 1e3,
                 (double)lateness[count - 1] / 1e3);
    scale_figure("CPU: %.0f ns each\n", (double)cpu / (double)count);
    printf("%ld of %ld woke, none early\n", punctual, count);
    CHECK_EQUAL(punctual, count);
    return guest_success();
}
