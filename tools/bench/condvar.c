// SPDX-License-Identifier: MIT
/*
 * condvar: two threads hand a turn to each other through a mutex and a condition variable; one operation is
 * one hand-over, one way.
 */
#include "bench.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static uint64_t turn; /* even: the main thread's; odd: the other's */
static uint64_t last_turn;

static void play(uint64_t parity)
{
    pthread_mutex_lock(&mutex);
    while (turn < last_turn) {
        if (turn % 2 != parity) {
            pthread_cond_wait(&changed, &mutex);
            continue;
        }
        turn++;
        pthread_cond_signal(&changed);
    }
    pthread_mutex_unlock(&mutex);
}

static void *other(void *argument)
{
    play(1);
    return argument;
}

static uint64_t run(uint64_t operations)
{
    pthread_t thread;
    uint64_t began;

    turn = 0;
    last_turn = operations;
    bench_start(&thread, other, NULL);
    began = bench_now();
    play(0);
    bench_join(thread);
    return bench_now() - began;
}

int main(int argc, char **argv)
{
    return bench_main(argc, argv, run);
}
