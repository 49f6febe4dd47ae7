/* SPDX-License-Identifier: MIT */
/*
 * sendfile and splice: data that moves inside the kernel. What waits is the pipe or socket at either end.
 *
 * sendfile has no flag for "do not wait"; it asks the output's O_NONBLOCK. A private description gets it for
 * the one call, as for connect; with a shared one the kernel waits, on a kernel thread of its own. splice has
 * one (SPLICE_F_NONBLOCK), which holds for pipes; a socket is looked at first.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include "block.h"
#include "call.h"
#include "deadline.h"
#include "descriptor.h"
#include "file.h"
#include "hooks.h"
#include "wait.h"

static bool is_ready(int fd, short events)
{
    struct pollfd poll = {.fd = fd, .events = events};
    return weft_raw3(SYS_poll, (long)&poll, 1, 0) != 0;
}

/* One call with the output non-blocking. */
static long send_without_waiting(const struct weft_call *call, int to, size_t count)
{
    struct weft_call step = *call;
    step.arguments[0] = to;
    step.arguments[3] = (long)count;
    long flags = weft_raw3(SYS_fcntl, to, F_GETFL, 0);
    weft_raw3(SYS_fcntl, to, F_SETFL, flags | O_NONBLOCK);
    long result = weft_call_brief(&step);
    weft_raw3(SYS_fcntl, to, F_SETFL, flags);
    return result;
}

/* A blocking sendfile sends all, unless the file ends. */
WEFT_HOOK(sendfile)
{
    struct weft_target target = weft_target_of((int)call->arguments[0]);
    struct weft_descriptor *descriptor = weft_descriptor_find(target.fd);
    enum weft_descriptor_kind kind = weft_descriptor_kind_of(target.fd, descriptor);
    size_t count = (size_t)call->arguments[3], done = 0;
    if (kind == WEFT_KIND_DISK || kind == WEFT_KIND_BAD || !weft_descriptor_blocks(target.fd, descriptor))
        return weft_call_brief(call);
    int from = (int)call->arguments[1];
    bool from_disk = weft_descriptor_kind_of(from, weft_descriptor_find(from)) == WEFT_KIND_DISK;
    if (!from_disk || !weft_descriptor_private(descriptor))
        return weft_block_in_kernel(call);
    int64_t deadline =
        weft_kind_is_socket(kind) ? weft_descriptor_deadline(target.fd, descriptor, SO_SNDTIMEO) : WEFT_NEVER;
    bool expired = false;
    long result;
    weft_target_hold(&target);
    for (;;) {
        result = send_without_waiting(call, target.fd, count - done);
        if (result > 0)
            done += (size_t)result;
        if (result == 0 || done == count || (result < 0 && result != -EAGAIN))
            break;
        if (result > 0 && is_ready(target.fd, POLLOUT))
            continue; /* as much as one call takes, or the file's end, which the next one tells */
        result = expired ? -EAGAIN : weft_wait_target(&target, WEFT_WRITABLE, WEFT_REASON_WRITE, deadline);
        if (result < 0 && result != -ETIMEDOUT)
            break;
        expired = result == -ETIMEDOUT || weft_deadline_passed(deadline);
    }
    return weft_target_done(&target, done > 0 ? (long)done : result);
}

/* What is opened for the other direction only does not become ready. */
static bool wrong_way(int fd, int events)
{
    long mode = weft_raw3(SYS_fcntl, fd, F_GETFL, 0) & O_ACCMODE;
    return mode == (events == WEFT_READABLE ? O_WRONLY : O_RDONLY);
}

/* Parks until `fd` is ready; a descriptor that is always ready (a file) is not waited for. */
static long wait_until_ready(int fd, enum weft_descriptor_kind kind, int events, enum weft_reason reason)
{
    if (kind == WEFT_KIND_DISK || is_ready(fd, events == WEFT_READABLE ? POLLIN : POLLOUT))
        return 0;
    if (wrong_way(fd, events))
        return -EBADF;
    struct weft_target target = weft_target_of(fd);
    long result = weft_wait_target(&target, events, reason, WEFT_NEVER);
    if (target.fd != fd && result == 0)
        result = -EBADF; /* closed meanwhile: the next attempt is made with numbers */
    return weft_target_done(&target, result);
}

WEFT_HOOK(splice)
{
    int from = (int)call->arguments[0], to = (int)call->arguments[2];
    struct weft_descriptor *source = weft_descriptor_find(from), *sink = weft_descriptor_find(to);
    enum weft_descriptor_kind source_kind = weft_descriptor_kind_of(from, source);
    enum weft_descriptor_kind sink_kind = weft_descriptor_kind_of(to, sink);
    bool no_place = (call->arguments[1] && source_kind != WEFT_KIND_DISK) ||
                    (call->arguments[3] && sink_kind != WEFT_KIND_DISK);
    if (call->arguments[4] == 0 || no_place ||
        call->arguments[5] & ~(SPLICE_F_MOVE | SPLICE_F_MORE | SPLICE_F_GIFT) ||
        !weft_descriptor_blocks(from, source) || !weft_descriptor_blocks(to, sink) ||
        (source_kind != WEFT_KIND_PIPE && sink_kind != WEFT_KIND_PIPE))
        return weft_call_brief(call);
    struct weft_call attempt = *call;
    attempt.arguments[5] |= SPLICE_F_NONBLOCK;
    for (;;) {
        if (weft_kind_is_socket(source_kind) || weft_kind_is_socket(sink_kind)) {
            long result = wait_until_ready(from, source_kind, WEFT_READABLE, WEFT_REASON_READ);
            if (result == 0)
                result = wait_until_ready(to, sink_kind, WEFT_WRITABLE, WEFT_REASON_WRITE);
            if (result < 0)
                return result;
        }
        long result = weft_call_brief(&attempt);
        if (result != -EAGAIN)
            return result;
        result = wait_until_ready(from, source_kind, WEFT_READABLE, WEFT_REASON_READ);
        if (result == 0)
            result = wait_until_ready(to, sink_kind, WEFT_WRITABLE, WEFT_REASON_WRITE);
        if (result < 0)
            return result;
    }
}
