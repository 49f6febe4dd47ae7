// SPDX-License-Identifier: MIT
// Threads call sched_yield until a flag is set, as many as CPUs and more; a hundred others go on.
#include "stuck.h"

static atomic_bool flag;

static void prepare(int threads)
{
    (void)threads;
    atomic_store(&flag, false);
}

static void block(int index)
{
    (void)index;
    while (!atomic_load_explicit(&flag, memory_order_relaxed))
        sched_yield();
}

static void release(int threads)
{
    (void)threads;
    atomic_store(&flag, true);
}

int main(void)
{
    static const struct stuck kind = {prepare, block, release};
    return stuck_run_hogs(&kind);
}
