/* SPDX-License-Identifier: MIT */
/*
 * The trace: one line per event, written at once by one write(2).
 *
 *     SECONDS.NANOSECONDS c=COROUTINE p=PROCESSOR EVENT ...
 *
 * The mask is fixed before the machine starts; when it is 0 tracing costs a load and a branch in the slow
 * paths and nothing in the fast ones.
 */
#ifndef WEFT_CORE_TRACE_H
#define WEFT_CORE_TRACE_H

#include <stdint.h>

#include "coroutine.h"
#include "log.h"

enum weft_trace_kind {
    WEFT_TRACE_IO = 1,
    WEFT_TRACE_FUTEX = 2,
    WEFT_TRACE_SCHED = 4,
    WEFT_TRACE_THREAD = 8,
    WEFT_TRACE_ALL = 15
};

extern unsigned weft_trace_mask;
extern int weft_trace_fd; /* valid when the mask is not 0 */

/* Starts a line with time, coroutine and processor. */
void weft_trace_begin(struct weft_line *line, const struct coroutine *coroutine);
void weft_trace_end(struct weft_line *line);

void weft_trace_park_line(struct coroutine *self);
void weft_trace_ready_line(struct coroutine *coroutine);

static inline void weft_trace_park(struct coroutine *self)
{
    if (__builtin_expect(weft_trace_mask != 0, 0))
        weft_trace_park_line(self);
}

static inline void weft_trace_ready(struct coroutine *coroutine)
{
    if (__builtin_expect(weft_trace_mask & WEFT_TRACE_SCHED, 0))
        weft_trace_ready_line(coroutine);
}

#endif
