/* SPDX-License-Identifier: MIT */
/*
 * epoll_wait. As for poll the kernel answers, at once and again whenever something may have become ready: an
 * epoll descriptor is watched in the loop like any other.
 */
#include <errno.h>
#include <sys/epoll.h>

#include "block.h"
#include "call.h"
#include "deadline.h"
#include "hooks.h"
#include "signal.h"
#include "user.h"
#include "wait.h"

static long epoll_until(struct weft_call *call, int64_t deadline)
{
    struct weft_target target = weft_target_of((int)call->arguments[0]);
    for (;;) {
        long waited = weft_wait_target(&target, WEFT_READABLE | WEFT_NESTED, WEFT_REASON_EPOLL, deadline);
        long result = weft_raw4(SYS_epoll_wait, target.fd, call->arguments[1], call->arguments[2], 0);
        if (result != 0 || waited == -ETIMEDOUT || (waited == 0 && weft_deadline_passed(deadline)))
            return weft_target_done(&target, result);
        if (waited < 0)
            return weft_target_done(&target, waited);
    }
}

static long epoll_first(struct weft_call *call)
{
    if (weft_loop_owns((int)call->arguments[0]))
        return -EBADF;
    return weft_raw4(SYS_epoll_wait, call->arguments[0], call->arguments[1], call->arguments[2], 0);
}

/* As epoll_wait, and without what the other calls have besides. */
static bool epoll_alone(const struct weft_call *call, long *result)
{
    const long *a = call->arguments;
    struct weft_call plain = {.number = call->number, .arguments = {a[0], a[1], a[2], a[3]}};
    return a[3] != 0 && weft_block_alone_likely(weft_current) && !weft_loop_owns((int)a[0]) &&
           weft_block_alone(&plain, result);
}

WEFT_HOOK(epoll_wait)
{
    long result;
    if (epoll_alone(call, &result))
        return result;
    result = epoll_first(call);
    int timeout = (int)call->arguments[3];
    return result != 0 || timeout == 0 ? result : epoll_until(call, weft_deadline_from_milliseconds(timeout));
}

WEFT_HOOK(epoll_pwait)
{
    const uint64_t *mask = (const uint64_t *)call->arguments[4];
    return mask ? weft_with_signal_mask(call, mask, (size_t)call->arguments[5], hook_epoll_wait)
                : hook_epoll_wait(call);
}

static long epoll_pwait2_masked(struct weft_call *call)
{
    const struct timespec *timeout = (const struct timespec *)call->arguments[3];
    struct timespec checked;
    long result;
    if (epoll_alone(call, &result))
        return result;
    if (timeout && !weft_user_read(&checked, timeout, sizeof checked))
        return -EFAULT;
    if (timeout && !weft_timespec_valid(timeout))
        return -EINVAL;
    result = epoll_first(call);
    if (result != 0 || (timeout && timeout->tv_sec == 0 && timeout->tv_nsec == 0))
        return result;
    return epoll_until(call, weft_deadline_from(timeout, -1));
}

WEFT_HOOK(epoll_pwait2)
{
    const uint64_t *mask = (const uint64_t *)call->arguments[4];
    return mask ? weft_with_signal_mask(call, mask, (size_t)call->arguments[5], epoll_pwait2_masked)
                : epoll_pwait2_masked(call);
}
