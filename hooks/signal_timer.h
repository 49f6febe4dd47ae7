/* SPDX-License-Identifier: MIT */
/* The program's timers that the kernel cannot run as they stand: signal_timer.c and cpu_timer.c. */
#ifndef WEFT_HOOKS_SIGNAL_TIMER_H
#define WEFT_HOOKS_SIGNAL_TIMER_H

#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>

#include "../core/lock.h"

/* A record is never freed, and used again only when no signal handler looks at it: a late signal finds
 * another id. All but the atomic fields are constant while it has an id. */
struct weft_signal_timer {
    struct weft_signal_timer *next;
    atomic_int id;      /* the kernel's; -1: the record is free */
    atomic_int looking; /* signal handlers that look at it */
    int tid;            /* the thread that is signalled; 0: the process */
    int number;         /* 0: nobody is (SIGEV_NONE) */
    union sigval value;
    int overrun; /* of the signal delivered last; protected by the lock */

    /* Of a timer on a thread's CPU clock, see cpu_timer.c. */
    struct coroutine *clock; /* whose; NULL: on one of the kernel's clocks */
    int clock_tid;
    _Atomic int64_t owed;             /* expirations that were taken and not told of */
    _Atomic int64_t expiry, interval; /* ns of that clock, ns; 0: not armed, only once */
};

extern struct weft_lock weft_signal_timers_lock; /* protects the list; never taken by signal handlers */
extern atomic_uint weft_cpu_timers;              /* how many timers have a `clock` */

/* With the lock held: the timer with this id, or NULL. */
struct weft_signal_timer *weft_signal_timer_find(int id);

/* How often the timer has expired since it was last asked; starts the kernel's timer for the next time. In
 * signal handlers. */
int64_t weft_cpu_timer_take(struct weft_signal_timer *timer);

#endif
