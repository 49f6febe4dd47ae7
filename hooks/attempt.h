/* SPDX-License-Identifier: MIT */
/* A call on a socket that is tried without waiting, and waits between its tries. */
#ifndef WEFT_HOOKS_ATTEMPT_H
#define WEFT_HOOKS_ATTEMPT_H

#include "descriptor.h"
#include "wait.h"

/* Its target, its deadline (asked for when first needed), its patience. */
struct weft_attempt {
    struct weft_target target;
    struct weft_descriptor *descriptor;
    int64_t deadline;
    bool deadline_known;
    bool expired;       /* the deadline has come; the kernel, too, looks once more then */
    bool asked, blocks; /* it blocks, or not, for as long as the call lasts, whatever O_NONBLOCK becomes */
    int futile;         /* waits that ended by readiness, and no try has succeeded since */
};

static inline struct weft_attempt weft_attempt_at(int fd, struct weft_descriptor *descriptor)
{
    return (struct weft_attempt){.target = weft_target_of(fd), .descriptor = descriptor};
}

/* False when O_NONBLOCK is set: then EAGAIN goes to the program. */
bool weft_attempt_blocks(struct weft_attempt *attempt);

/* Waits for the next try. Returns 0; -EAGAIN when the descriptor does not block or its time-out is over;
 * another error when that is the call's result. Parks. */
long weft_attempt_wait(struct weft_attempt *attempt, int events, enum weft_reason reason);

/* Blocks in the kernel with the arguments of another call. May park (reason: processor). */
long weft_attempt_in_kernel(long number, long a, long b, long c, long d, long e, long f);

#endif
