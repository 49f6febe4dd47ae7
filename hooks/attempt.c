/* SPDX-License-Identifier: MIT */
/* See attempt.h. */
#include "attempt.h"

#include <errno.h>
#include <sys/socket.h>

#include "block.h"
#include "call.h"
#include "deadline.h"

bool weft_attempt_blocks(struct weft_attempt *attempt)
{
    if (!attempt->asked)
        attempt->blocks = weft_descriptor_blocks(attempt->target.fd, attempt->descriptor);
    attempt->asked = true;
    return attempt->blocks;
}

long weft_attempt_wait(struct weft_attempt *attempt, int events, enum weft_reason reason)
{
    int fd = attempt->target.fd;
    if (!weft_attempt_blocks(attempt))
        return -EAGAIN;
    if (!attempt->deadline_known) {
        attempt->deadline = weft_descriptor_deadline(fd, attempt->descriptor,
                                                     events == WEFT_READABLE ? SO_RCVTIMEO : SO_SNDTIMEO);
        attempt->deadline_known = true;
    }
    if (attempt->expired || (attempt->futile > 0 && weft_deadline_passed(attempt->deadline)))
        return -EAGAIN;
    long result = weft_wait_target(&attempt->target, events, reason, attempt->deadline);
    if (attempt->target.fd != fd)
        attempt->descriptor = weft_descriptor_find(attempt->target.fd);
    attempt->expired = result == -ETIMEDOUT;
    attempt->futile += !attempt->expired;
    return attempt->expired ? 0 : result;
}

long weft_attempt_in_kernel(long number, long a, long b, long c, long d, long e, long f)
{
    struct weft_call call = {.number = number, .arguments = {a, b, c, d, e, f}};
    return weft_block_in_kernel(&call);
}
