/* SPDX-License-Identifier: MIT */
#include "deadline.h"

#include <stddef.h>

#include "../core/coroutine.h"

enum { SECOND = 1000000000 };

bool weft_timespec_valid(const struct timespec *time)
{
    return time->tv_sec >= 0 && time->tv_nsec >= 0 && time->tv_nsec < SECOND;
}

int64_t weft_span_of(const struct timespec *time)
{
    int64_t result;
    if (__builtin_mul_overflow(time->tv_sec, (int64_t)SECOND, &result) ||
        __builtin_add_overflow(result, time->tv_nsec, &result))
        return WEFT_NEVER;
    return result;
}

int64_t weft_span_add(int64_t one, int64_t other)
{
    int64_t sum;
    return __builtin_add_overflow(one, other, &sum) ? WEFT_NEVER : sum;
}

/* From when a span is counted: from now, but for a call that was ended for a signal that in the end was
 * another thread's, and is made again. What of its time has passed has passed. */
static int64_t beginning(void)
{
    struct coroutine *self = weft_current;
    if (!self->restarted)
        self->wait_began = weft_now();
    return self->wait_began;
}

static int64_t after(int64_t span)
{
    return weft_span_add(beginning(), span);
}

int64_t weft_deadline_from(const struct timespec *time, int clock)
{
    if (!time)
        return WEFT_NEVER;
    int64_t span = weft_span_of(time);
    if (span == WEFT_NEVER)
        return WEFT_NEVER;
    if (clock >= 0 && clock != CLOCK_MONOTONIC) {
        struct timespec now;
        clock_gettime(clock, &now);
        span -= weft_span_of(&now);
        clock = -1;
    }
    int64_t deadline = clock < 0 ? after(span) : span;
    return deadline > 0 ? deadline : 1;
}

int64_t weft_deadline_from_milliseconds(int milliseconds)
{
    return milliseconds < 0 ? WEFT_NEVER : after((int64_t)milliseconds * 1000000);
}

bool weft_deadline_passed(int64_t deadline)
{
    return deadline != WEFT_NEVER && weft_now() >= deadline;
}

struct timespec weft_deadline_left(int64_t deadline)
{
    int64_t left = deadline - weft_now();
    if (left < 0)
        left = 0;
    return (struct timespec){left / SECOND, left % SECOND};
}
