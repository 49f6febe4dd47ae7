// SPDX-License-Identifier: MIT
/*
 * The demo's echo server in a process in which THREADS other threads compute: without any call, or
 * MILLISECONDS at a time with a sleep of 1 ms between.
 *
 *     bench_echo_with_hogs THREADS MILLISECONDS PORT      MILLISECONDS 0: without a call
 *
 * How long its clients wait is measured by
 *     weft compare --server 'bench_echo_with_hogs 2 0 {port}' --port 0 --load echo --connections 16
 */
#define main echo_server
#include "../../demo/echo_server.c"
#undef main

#include "bench.h"

static long milliseconds;
static volatile unsigned long results[64];

static void *compute(void *place)
{
    volatile unsigned long *result = place;
    for (;;) {
        uint64_t end = bench_now() + (uint64_t)milliseconds * 1000000;
        do
            for (int i = 0; i < 100000; i++)
                *result = *result * 6364136223846793005ul + 1442695040888963407ul;
        while (milliseconds == 0 || bench_now() < end); /* the clock is read without a system call */
        usleep(1000);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: %s THREADS MILLISECONDS PORT\n", argv[0]);
        return 2;
    }
    long threads = strtol(argv[1], NULL, 10);
    milliseconds = strtol(argv[2], NULL, 10);
    if (threads < 0 || threads > 64 || milliseconds < 0) {
        fprintf(stderr, "%s: THREADS must be from 0 to 64, MILLISECONDS not negative\n", argv[0]);
        return 2;
    }
    for (long i = 0; i < threads; i++) {
        pthread_t thread;
        bench_check(pthread_create(&thread, NULL, compute, (void *)&results[i]), "pthread_create");
    }
    char *rest[] = {argv[0], argv[3], NULL};
    return echo_server(2, rest);
}
