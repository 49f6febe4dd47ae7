/* SPDX-License-Identifier: MIT */
/* Times as system calls pass them, as deadlines of core/: ns of CLOCK_MONOTONIC. */
#ifndef WEFT_HOOKS_DEADLINE_H
#define WEFT_HOOKS_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* True for what the kernel accepts: not negative, nanoseconds below a second. */
bool weft_timespec_valid(const struct timespec *time);

/* `time` in ns, and the sum of two times that are not negative; WEFT_NEVER when that is too much. */
int64_t weft_span_of(const struct timespec *time);
int64_t weft_span_add(int64_t one, int64_t other);

/* The deadline for `time`, which is absolute on `clock`, or relative to now when `clock` is -1. NULL and what
 * lies too far away give WEFT_NEVER; what is past gives at least 1. */
int64_t weft_deadline_from(const struct timespec *time, int clock);

/* The deadline `milliseconds` from now, as poll and epoll_wait mean it: negative is never. */
int64_t weft_deadline_from_milliseconds(int milliseconds);

/* Whether it is over. A wait that was futile asks: what makes it so may come again and again, always before
 * the deadline is looked at. */
bool weft_deadline_passed(int64_t deadline);

/* What is left until the deadline, never negative. */
struct timespec weft_deadline_left(int64_t deadline);

#endif
