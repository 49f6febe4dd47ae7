// SPDX-License-Identifier: MIT
// Claims: of threads that can run, those of higher priority run first, those of equal priority in their
// order, those without one last; sched_yield lets others of the same priority run, and none of lower.
#include "priority.h"

enum { THREADS = 7 };

static void *names_itself(void *name)
{
    for (int i = 0; i < 2; i++) {
        puts((const char *)name);
        CHECK_EQUAL(sched_yield(), 0);
    }
    return NULL;
}

int main(void)
{
    static const struct {
        int policy, priority;
        const char *name;
    } kinds[THREADS] = {
        {SCHED_OTHER, 0, "other"},    {SCHED_FIFO, 10, "first of 10"},  {SCHED_FIFO, 30, "first of 30"},
        {SCHED_RR, 20, "only of 20"}, {SCHED_FIFO, 30, "second of 30"}, {SCHED_RR, 10, "second of 10"},
        {SCHED_FIFO, 1, "only of 1"},
    };
    pthread_t threads[THREADS];
    on_one_cpu(50);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < THREADS; i++)
            threads[i] = start_with(kinds[i].policy, kinds[i].priority, names_itself, (void *)kinds[i].name);
        puts("all are created");
        for (int i = 0; i < THREADS; i++)
            guest_join(threads[i]);
    }
    return guest_success();
}
