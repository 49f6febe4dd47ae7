// SPDX-License-Identifier: MIT
// Claims: a thread of high priority that yields on and on, and one that computes on and on, keep the others,
// their descriptors and their deadlines from nothing for ever. (On one CPU the kernel leaves 5 percent for
// the others; here it may use all.)
#include <poll.h>
#include <stdatomic.h>
#include "priority.h"

static atomic_int stage;
static int ends[2];

static void *sleeps(void *argument)
{
    CHECK_EQUAL(usleep(5000), 0);
    atomic_store(&stage, 1);
    return argument;
}

static void *reads(void *argument)
{
    char byte;
    CHECK_EQUAL(read(ends[0], &byte, 1), 1);
    atomic_store(&stage, 2);
    return argument;
}

static void *computes(void *argument)
{
    while (atomic_load(&stage) < 4)
        continue;
    return argument;
}

static void *goes_on(void *argument)
{
    CHECK_EQUAL(usleep(5000), 0);
    atomic_store(&stage, 4);
    return argument;
}

static void *ends_at_once(void *argument)
{
    return argument;
}

int main(void)
{
    guest_join(guest_start(ends_at_once, NULL));
    if (sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){.sched_priority = 50}) != 0) {
        puts("not permitted to use real-time policies");
        return 77;
    }
    CHECK_EQUAL(pipe(ends), 0);
    pthread_t sleeper = start_with(SCHED_OTHER, 0, sleeps, NULL),
              reader = start_with(SCHED_OTHER, 0, reads, NULL);
    while (atomic_load(&stage) < 1)
        CHECK_EQUAL(sched_yield(), 0);
    CHECK_EQUAL(write(ends[1], "x", 1), 1);
    while (atomic_load(&stage) < 2)
        CHECK_EQUAL(sched_yield(), 0);
    pthread_t goer = start_with(SCHED_OTHER, 0, goes_on, NULL),
              hog = start_with(SCHED_FIFO, 60, computes, NULL);
    guest_join(sleeper);
    guest_join(reader);
    guest_join(goer);
    guest_join(hog);
    return guest_success();
}
