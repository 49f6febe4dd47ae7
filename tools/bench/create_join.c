// SPDX-License-Identifier: MIT
/* create_join: one operation creates a thread with default attributes that returns at once, and joins it. */
#include "bench.h"

static void *nothing(void *argument)
{
    return argument;
}

static uint64_t run(uint64_t operations)
{
    uint64_t began = bench_now();

    for (uint64_t i = 0; i < operations; i++) {
        pthread_t thread;

        bench_start(&thread, nothing, NULL);
        bench_join(thread);
    }
    return bench_now() - began;
}

int main(int argc, char **argv)
{
    return bench_main(argc, argv, run);
}
