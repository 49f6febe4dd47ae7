/* SPDX-License-Identifier: MIT */
/*
 * Deadlines: a heap per processor, touched only by the carrier that holds the processor.
 * Times are nanoseconds of CLOCK_MONOTONIC. (Why not libev's timers: ARCHITECTURE.md, decisions.)
 */
#ifndef WEFT_CORE_TIMER_H
#define WEFT_CORE_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WEFT_NEVER INT64_MAX

struct weft_timer {
    int64_t deadline;
    uint32_t place; /* 1-based index in the heap; 0: not started */
};

struct weft_timers {
    struct weft_timer **heap; /* heap[0] unused by children arithmetic: entries 0..count-1 */
    size_t count, capacity;   /* count: hint */
};

/* Now, in nanoseconds of CLOCK_MONOTONIC (vDSO; no system call). */
int64_t weft_now(void);

/* Starts a timer that is not started. Returns 0 or -ENOMEM. O(log n). */
int weft_timers_start(struct weft_timers *timers, struct weft_timer *timer, int64_t deadline);

/* Stops a timer; harmless when it is not started. O(log n). */
void weft_timers_stop(struct weft_timers *timers, struct weft_timer *timer);

/* Stops and returns a timer whose deadline is not after `now`, earliest first; or NULL. */
struct weft_timer *weft_timers_take_due(struct weft_timers *timers, int64_t now);

/* The earliest deadline, or WEFT_NEVER. */
static inline int64_t weft_timers_next(const struct weft_timers *timers)
{
    return timers->count ? timers->heap[0]->deadline : WEFT_NEVER;
}

/* True when the heap order and the places are right. */
bool weft_timers_verify(const struct weft_timers *timers);

#endif
