// SPDX-License-Identifier: MIT
/* one_thread: the smallest threaded program; startup measures how long it lives. */
#include "bench.h"

static void *nothing(void *argument)
{
    return argument;
}

int main(void)
{
    pthread_t thread;

    bench_start(&thread, nothing, NULL);
    bench_join(thread);
    return 0;
}
