// SPDX-License-Identifier: MIT
// Threads look at a flag in a loop without any call, as many as CPUs and more; a hundred others go on.
#include "stuck.h"

static volatile int plain_flag;
static atomic_bool flag;

static void prepare(int threads)
{
    (void)threads;
    plain_flag = 0;
    atomic_store(&flag, false);
}

static void block(int index)
{
    if (index % 2)
        while (!plain_flag)
            ;
    else
        while (!atomic_load_explicit(&flag, memory_order_relaxed))
            ;
}

static void release(int threads)
{
    (void)threads;
    atomic_store(&flag, true);
    plain_flag = 1;
}

int main(void)
{
    static const struct stuck kind = {prepare, block, release};
    return stuck_run_hogs(&kind);
}
