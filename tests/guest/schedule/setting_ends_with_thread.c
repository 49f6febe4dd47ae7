// SPDX-License-Identifier: MIT
// Claims: what threads have set for themselves is forgotten with them: 20,000 that have come and gone leave
// nothing.
#include <sched.h>
#include "guest.h"

enum { THREADS = 20000, WARM = 1000, GROWTH = 8 << 20 };

static void *sets(void *argument)
{
    CHECK_EQUAL(sched_setscheduler(0, SCHED_BATCH, &(struct sched_param){0}), 0);
    CHECK_EQUAL(sched_getscheduler(0), SCHED_BATCH);
    return argument;
}

static long resident(void)
{
    long size, pages;
    FILE *file = fopen("/proc/self/statm", "r");
    CHECK(file && fscanf(file, "%ld %ld", &size, &pages) == 2);
    fclose(file);
    return pages * sysconf(_SC_PAGESIZE);
}

int main(void)
{
    long before = 0;
    for (int i = 0; i < THREADS; i++) {
        if (i == WARM)
            before = resident();
        guest_join(guest_start(sets, NULL));
        CHECK_EQUAL(sched_getscheduler(0), SCHED_OTHER);
    }
    CHECK(resident() - before < GROWTH);
    return guest_success();
}
