// SPDX-License-Identifier: MIT
/*
 * wake MICROSECONDS: a thread wakes another one and goes on computing for that long; one operation is the
 * time until the other one runs, which it can on another CPU only.
 */
#include "bench.h"

static uint64_t compute; /* ns */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static uint64_t told, told_at, heard, last, waited;

static void *listen_for(void *argument)
{
    pthread_mutex_lock(&mutex);
    while (heard < last) {
        while (told == heard)
            pthread_cond_wait(&changed, &mutex);
        waited += bench_now() - told_at;
        heard = told;
        pthread_cond_signal(&changed);
    }
    pthread_mutex_unlock(&mutex);
    return argument;
}

static uint64_t run(uint64_t operations)
{
    pthread_t thread;

    told = heard = waited = 0;
    last = operations;
    bench_start(&thread, listen_for, NULL);
    for (uint64_t i = 0; i < operations; i++) {
        pthread_mutex_lock(&mutex);
        while (heard < told)
            pthread_cond_wait(&changed, &mutex);
        told++;
        told_at = bench_now();
        pthread_mutex_unlock(&mutex);
        pthread_cond_signal(&changed);
        while (bench_now() - told_at < compute)
            continue;
    }
    bench_join(thread);
    return waited;
}

int main(int argc, char **argv)
{
    compute = argc > 1 ? strtoul(argv[1], NULL, 10) * 1000 : 0;
    if (compute == 0) {
        fprintf(stderr, "usage: %s MICROSECONDS [MILLISECONDS]\n", argv[0]);
        return 2;
    }
    return bench_main(argc - 1, argv + 1, run);
}
