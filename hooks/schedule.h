/* SPDX-License-Identifier: MIT */
/*
 * How a thread asked to be scheduled: what the kernel would know of it if it were a kernel thread. For
 * identity.c, which keeps one for each coroutine, and probe.c, which has the kernel make them.
 *
 * A schedule never changes once it is known to others; who holds it counts as one of its `count`.
 */
#ifndef WEFT_HOOKS_SCHEDULE_H
#define WEFT_HOOKS_SCHEDULE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sched.h>
#include <stdint.h>

#include "call.h"

#ifndef SCHED_DEADLINE
#define SCHED_DEADLINE 6 /* libc's headers lack it */
#endif

enum { WEFT_AFFINITY_SIZE = 1024 };

/* struct sched_attr of the kernel, first 56 bytes; libc's headers disagree on who defines it. */
struct weft_attributes {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
    uint32_t utilization[2];
};

struct weft_schedule {
    atomic_uint count; /* coroutines that have it, hooks that look at it, the probe */
    int nice;          /* also what a real-time thread would have */
    long mask_size;    /* bytes that the kernel reports; 0: more than there is room for */
    struct weft_attributes attributes;
    unsigned char mask[WEFT_AFFINITY_SIZE];
    void *slab_link;
};

/* A fresh one, held by the caller, nothing else set; NULL when out of memory. */
struct weft_schedule *weft_schedule_take(void);

/* One holder more, or less. NULL is nothing. */
struct weft_schedule *weft_schedule_hold(struct weft_schedule *schedule);
void weft_schedule_drop(struct weft_schedule *schedule);

/* What the kernel thread (0: the calling one) has, held by the caller; NULL when out of memory. */
struct weft_schedule *weft_schedule_record(long tid);

/* Gives the kernel thread (0: the calling one) what the schedule says, as far as our privileges go. Returns
 * whether that was all. */
bool weft_schedule_apply(const struct weft_schedule *schedule, long tid);

/*
 * Makes the call, in which that argument is the id of a thread, on a kernel thread that has `schedule` (NULL:
 * what the process had when weft became active), and returns what the kernel says. *after, unless NULL,
 * becomes what the thread has after a success, held by the caller; NULL when out of memory. Does not park.
 */
long weft_probe_call(const struct weft_call *call, int argument, struct weft_schedule *schedule,
                     struct weft_schedule **after);

/* The process has new user or group ids: no thread with the old ones stays. */
void weft_probe_renew(void);

/* In the child of a fork, which has no probe. */
void weft_probe_restart(void);

#endif
