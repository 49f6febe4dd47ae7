/* SPDX-License-Identifier: MIT */
/*
 * recvmmsg and sendmmsg: many messages by one call. What need not wait goes by one call of the kernel's; a
 * message that has to wait goes by itself (socket_send.c, socket_receive.c), and then the rest together
 * again.
 */
#include <errno.h>

#include "block.h"
#include "call.h"
#include "deadline.h"
#include "descriptor.h"
#include "hooks.h"
#include "socket.h"
#include "vector.h"

/* The messages of a call from number `done` on, as many as need not wait, by one call. */
static long at_once(const struct weft_call *call, unsigned done)
{
    struct mmsghdr *messages = (struct mmsghdr *)call->arguments[1];
    return weft_raw5(call->number, call->arguments[0], (long)&messages[done], call->arguments[2] - done,
                     call->arguments[3] | MSG_DONTWAIT, 0);
}

/*
 * recvmmsg(fd, messages, count, flags, timeout): the time-out is looked at after each message only, as
 * recvmmsg(2) says of the kernel's; with MSG_WAITFORONE what follows the first must be there already.
 */
WEFT_HOOK(recvmmsg)
{
    int fd = (int)call->arguments[0], flags = (int)call->arguments[3];
    struct mmsghdr *messages = (struct mmsghdr *)call->arguments[1];
    unsigned count = (unsigned)call->arguments[2];
    struct timespec *timeout = (struct timespec *)call->arguments[4];
    struct weft_descriptor *descriptor = weft_descriptor_find(fd);
    if (flags & MSG_DONTWAIT || !messages || count == 0 ||
        !weft_kind_is_socket(weft_descriptor_kind_of(fd, descriptor)) ||
        (timeout && !weft_timespec_valid(timeout)) || !weft_descriptor_blocks(fd, descriptor))
        return weft_call_raw(call);
    bool batches = !timeout && !(flags & MSG_WAITALL);
    int64_t deadline = weft_deadline_from(timeout, -1);
    unsigned done = 0;
    long result = 0;
    while (done < count) {
        if (batches && (done > 0 || !weft_descriptor_has(descriptor, WEFT_FD_DRAINED))) {
            result = at_once(call, done);
            if (result < 0 && result != -EAGAIN)
                break;
            done += result > 0 ? (unsigned)result : 0;
            if (done == count || (flags & MSG_WAITFORONE && done > 0))
                break;
        }
        int step_flags = flags & ~MSG_WAITFORONE;
        if (flags & MSG_WAITFORONE && done > 0)
            step_flags |= MSG_DONTWAIT;
        result = weft_socket_receive_message(fd, descriptor, &messages[done].msg_hdr, step_flags);
        if (result < 0)
            break;
        messages[done++].msg_len = (unsigned)result;
        if (deadline != WEFT_NEVER && weft_now() >= deadline)
            break;
    }
    if (timeout)
        *timeout = weft_deadline_left(deadline);
    return done > 0 ? (long)done : result;
}

static void note_sent(const struct mmsghdr *messages, long count)
{
    for (long i = 0; i < count; i++)
        if (messages[i].msg_hdr.msg_control && messages[i].msg_hdr.msg_controllen)
            weft_descriptors_shared(); /* descriptors may have gone with it */
}

/* What is sent is sent whole or not at all, but on streams. */
WEFT_HOOK(sendmmsg)
{
    int fd = (int)call->arguments[0], flags = (int)call->arguments[3];
    struct mmsghdr *messages = (struct mmsghdr *)call->arguments[1];
    struct weft_descriptor *descriptor = weft_descriptor_find(fd);
    enum weft_descriptor_kind kind = weft_descriptor_kind_of(fd, descriptor);
    long result = 0;
    if (flags & MSG_FASTOPEN && !(flags & MSG_DONTWAIT))
        return weft_block_in_kernel(call); /* it is a connect, too */
    if (flags & MSG_DONTWAIT || !messages || !weft_kind_is_socket(kind) ||
        !weft_descriptor_blocks(fd, descriptor)) {
        result = weft_call_raw(call);
        note_sent(messages, result);
        return result;
    }
    unsigned count = (unsigned)call->arguments[2], done = 0;
    if (count > IOV_MAX)
        count = IOV_MAX;
    while (done < count) {
        if (kind != WEFT_KIND_STREAM) {
            result = at_once(call, done);
            if (result < 0 && result != -EAGAIN)
                break;
            note_sent(&messages[done], result);
            done += result > 0 ? (unsigned)result : 0;
            if (done == count)
                break;
        }
        result = weft_socket_send_message(fd, descriptor, &messages[done].msg_hdr, flags);
        if (result < 0)
            break;
        messages[done].msg_len = (unsigned)result;
        const struct msghdr *sent = &messages[done++].msg_hdr;
        if (weft_vector_size(sent->msg_iov, (long)sent->msg_iovlen) > (size_t)result)
            break;
    }
    return done > 0 ? (long)done : result;
}
