/* SPDX-License-Identifier: MIT */
/*
 * poll.
 *
 * The kernel answers: each call is made with a zero time-out first and again whenever something may have
 * become ready; between, the coroutine watches the same descriptors. As natively it goes on with those that
 * it began with when their numbers are closed meanwhile, and finds out about the numbers when it looks again.
 * What the loop cannot watch (urgent data or a peer's half-close without readability) is left to the kernel.
 *
 * One descriptor that shall be readable, as programs wait that try to receive first, needs no such call: that
 * it is not, the try has just told, and that it is, the loop.
 */
#include <errno.h>
#include <poll.h>

#include "block.h"
#include "call.h"
#include "deadline.h"
#include "hooks.h"
#include "signal.h"
#include "user.h"
#include "watching.h"

enum { READ_EVENTS = POLLIN | POLLRDNORM, WRITE_EVENTS = POLLOUT | POLLWRNORM, URGENT_EVENTS = POLLPRI };

static bool watchable(const struct pollfd *polls, unsigned long count)
{
    for (unsigned long i = 0; i < count; i++)
        if (polls[i].fd >= 0 && polls[i].events & ~(READ_EVENTS | WRITE_EVENTS) &&
            !(polls[i].events & READ_EVENTS &&
              !(polls[i].events & ~(READ_EVENTS | WRITE_EVENTS | URGENT_EVENTS | POLLRDHUP))))
            return false;
    return true;
}

/* Whether all that is asked is whether one descriptor can be read, where we can read and write. */
static bool asks_readable(const struct pollfd *polls, unsigned long count)
{
    struct iovec part = {(void *)polls, sizeof *polls};
    return count == 1 && weft_user_on_stack(&part, 1) && polls->fd >= 0 && polls->events & POLLIN &&
           !(polls->events & ~(POLLIN | URGENT_EVENTS));
}

/* It was not when the coroutine tried to, and it has not stood still since. A hint: it may be by now. */
static bool found_empty(const struct pollfd *poll)
{
    const struct coroutine *self = weft_current;
    return poll->fd == self->empty_fd && self->switches == self->empty_at;
}

/* That it can be read. Of a number that was closed meanwhile the kernel says what it means now. */
static bool was_told(const struct weft_watcher *watcher)
{
    return watcher->told && !watcher->moved;
}

/* The kernel waits for what the loop does not tell. */
static long poll_in_kernel(const struct weft_call *call, int64_t deadline)
{
    struct timespec left = weft_deadline_left(deadline);
    struct weft_call rest = *call;
    rest.number = SYS_ppoll;
    rest.arguments[2] = deadline == WEFT_NEVER ? 0 : (long)&left;
    if (call->number == SYS_poll)
        rest.arguments[3] = 0;
    return weft_block_in_kernel(&rest);
}

/* poll with a deadline, when nothing is ready now. */
static long poll_until(struct weft_call *call, int64_t deadline)
{
    struct pollfd *polls = (struct pollfd *)call->arguments[0];
    unsigned long count = (unsigned long)call->arguments[1];
    struct weft_watching watching;
    if (!watchable(polls, count))
        return poll_in_kernel(call, deadline);
    if (!weft_watching_take(&watching, (unsigned)count))
        return -ENOMEM;
    bool hang_up_only = false;
    for (unsigned long i = 0; i < count; i++) {
        int events = (polls[i].events & READ_EVENTS ? WEFT_READABLE : 0) |
                     (polls[i].events & WRITE_EVENTS ? WEFT_WRITABLE : 0) |
                     (polls[i].events & URGENT_EVENTS ? WEFT_URGENT : 0);
        if (polls[i].fd < 0)
            continue;
        /* Errors and hang-ups are told even when nothing was asked for. */
        weft_watching_add(&watching, polls[i].fd, events ? events : WEFT_READABLE);
        hang_up_only |= !events;
    }
    long result;
    for (;;) {
        long waited = weft_wait_watchers(watching.watchers, watching.count, WEFT_REASON_POLL, deadline);
        if (waited == 0 && asks_readable(polls, count) && was_told(watching.watchers)) {
            polls->revents = POLLIN;
            result = 1;
            break;
        }
        result = weft_raw3(SYS_poll, (long)polls, (long)count, 0);
        if (result != 0)
            break;
        if (waited == -ETIMEDOUT)
            break;
        if (waited < 0 && waited != -EBADF) {
            result = waited;
            break;
        }
        if (weft_deadline_passed(deadline))
            break;
        if (hang_up_only) { /* but it can be read, and will remain so */
            result = poll_in_kernel(call, deadline);
            break;
        }
    }
    weft_watching_release(&watching);
    return result;
}

WEFT_HOOK(poll)
{
    const struct pollfd *polls = (struct pollfd *)call->arguments[0];
    int timeout = (int)call->arguments[2];
    long result;
    if (timeout != 0 && weft_block_alone(call, &result))
        return result;
    if (timeout == 0 || !asks_readable(polls, (unsigned long)call->arguments[1]) || !found_empty(polls)) {
        result = weft_raw3(SYS_poll, call->arguments[0], call->arguments[1], 0);
        if (result != 0 || timeout == 0)
            return result;
    }
    return poll_until(call, weft_deadline_from_milliseconds(timeout));
}

static long ppoll_masked(struct weft_call *call)
{
    struct timespec *timeout = (struct timespec *)call->arguments[2], checked;
    struct weft_call unmasked = *call;
    long result;
    unmasked.arguments[3] = 0;
    if (weft_block_alone(&unmasked, &result))
        return result;
    if (timeout && !weft_user_read(&checked, timeout, sizeof checked))
        return -EFAULT;
    if (timeout && !weft_timespec_valid(timeout))
        return -EINVAL;
    int64_t deadline = weft_deadline_from(timeout, -1);
    result = weft_raw3(SYS_poll, call->arguments[0], call->arguments[1], 0);
    if (result == 0 && !(timeout && timeout->tv_sec == 0 && timeout->tv_nsec == 0))
        result = poll_until(call, deadline);
    if (timeout && result >= 0)
        *timeout = weft_deadline_left(deadline); /* as the kernel does */
    return weft_none_or_signal(result);
}

WEFT_HOOK(ppoll)
{
    const uint64_t *mask = (const uint64_t *)call->arguments[3];
    return mask ? weft_with_signal_mask(call, mask, (size_t)call->arguments[4], ppoll_masked)
                : ppoll_masked(call);
}
