// SPDX-License-Identifier: MIT
// Threads with real-time priorities on one CPU, where they run in an order that is determined.
#ifndef SCHEDULE_PRIORITY_H
#define SCHEDULE_PRIORITY_H

#include <sched.h>
#include "guest.h"

// The calling thread, and those that it creates, on one CPU, with that priority. Skips the test when that is
// not permitted.
static inline void on_one_cpu(int priority)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    CHECK_EQUAL(sched_setaffinity(0, sizeof one, &one), 0);
    if (sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){.sched_priority = priority}) != 0) {
        puts("not permitted to use real-time policies");
        exit(77);
    }
}

static inline pthread_t start_with(int policy, int priority, void *(*body)(void *), void *argument)
{
    pthread_attr_t attributes;
    pthread_t thread;
    CHECK_EQUAL(pthread_attr_init(&attributes), 0);
    CHECK_EQUAL(pthread_attr_setinheritsched(&attributes, PTHREAD_EXPLICIT_SCHED), 0);
    CHECK_EQUAL(pthread_attr_setschedpolicy(&attributes, policy), 0);
    CHECK_EQUAL(pthread_attr_setschedparam(&attributes, &(struct sched_param){.sched_priority = priority}),
                0);
    CHECK_EQUAL(pthread_create(&thread, &attributes, body, argument), 0);
    CHECK_EQUAL(pthread_attr_destroy(&attributes), 0);
    return thread;
}

#endif
