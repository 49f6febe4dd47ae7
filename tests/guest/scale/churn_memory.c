// SPDX-License-Identifier: MIT
// Claims: nothing grows however many threads come and go: joined, detached, ended by pthread_exit or by
// cancellation, with stacks of different sizes and guards, one after the other and in crowds.
#include <semaphore.h>
#include "scale.h"

#define CROWD 300

static sem_t gone;

static void *returns(void *argument)
{
    return argument;
}

static void *exits(void *argument)
{
    pthread_exit(argument);
}

static void *announces(void *argument)
{
    sem_post(&gone);
    return argument;
}

static void *dies(void *argument)
{
    // A loop around a cancellation point: the request may come before, during or after.
    for (;;)
        pthread_testcancel();
    return argument;
}

static void one(long cycle)
{
    pthread_t thread;

    guest_join(guest_start(returns, NULL));
    guest_join(guest_start(exits, NULL));
    thread = guest_start(announces, NULL);
    CHECK_EQUAL(pthread_detach(thread), 0);
    CHECK_EQUAL(sem_wait(&gone), 0);
    if (cycle % 16 == 0) {
        thread = guest_start(dies, NULL);
        CHECK_EQUAL(pthread_cancel(thread), 0);
        CHECK(guest_join(thread) == PTHREAD_CANCELED);
    }
}

static void crowd(long cycle)
{
    static const size_t sizes[] = {64 << 10, 256 << 10, 8 << 20, 1 << 20};
    static const size_t guards[] = {4096, 0, 16384};
    pthread_t threads[CROWD];
    pthread_attr_t attributes;

    CHECK_EQUAL(pthread_attr_init(&attributes), 0);
    CHECK_EQUAL(pthread_attr_setstacksize(&attributes, sizes[cycle % 4]), 0);
    CHECK_EQUAL(pthread_attr_setguardsize(&attributes, guards[cycle % 3]), 0);
    for (int i = 0; i < CROWD; i++)
        CHECK_EQUAL(pthread_create(&threads[i], &attributes, i % 2 ? exits : announces, NULL), 0);
    for (int i = 0; i < CROWD; i++)
        guest_join(threads[i]);
    for (int i = 0; i < CROWD; i += 2)
        CHECK_EQUAL(sem_wait(&gone), 0);
    CHECK_EQUAL(pthread_attr_destroy(&attributes), 0);
}

static void churn(long cycles)
{
    for (long i = 0; i < cycles; i++) {
        one(i);
        if (i % 500 == 0)
            crowd(i / 500);
    }
}

int main(int argc, char **argv)
{
    long cycles = scale_arguments(argc, argv);

    CHECK_EQUAL(sem_init(&gone, 0, 0), 0);
    churn(6001); // twelve crowds: each size with each guard
    long before = scale_memory();
    int64_t cpu = scale_cpu();
    churn(cycles);
    long growth = scale_memory() - before;
    scale_figure("%ld cycles of 3 threads, %.0f ns of CPU each thread, growth %ld kB from %ld kB\n", cycles,
                 (double)(scale_cpu() - cpu) / (double)cycles / 3, growth, before);
    // The last crowd leaves up to 300 stacks with some pages each, as the last one of the warm-up did.
    CHECK(growth < 4096);
    printf("%ld cycles\n", cycles);
    return guest_success();
}
