/* SPDX-License-Identifier: MIT */
/* send and its relatives. A stream's blocking send sends all, in as many pieces as it takes. */
#include <errno.h>
#include <poll.h>

#include "attempt.h"
#include "block.h"
#include "call.h"
#include "hooks.h"
#include "peer.h"
#include "socket.h"
#include "vector.h"

#ifndef RWF_NOWAIT
#define RWF_NOWAIT 8
#endif

/* Readiness without success, so often in a row, means that readiness does not tell what the call waits for
 * (an unconnected datagram socket's peer is full, ...): then only the kernel can wait for it. */
enum { FUTILE_LIMIT = 4 };

/* Whether a send that has sent something ends here: with what it has sent, without SIGPIPE, and with the
 * error left to the next call. (POLLERR may also mean that messages wait in the queue of errors.) */
static bool hung_up_meanwhile(int fd)
{
    struct pollfd poll = {.fd = fd, .events = POLLOUT};
    return weft_raw3(SYS_poll, (long)&poll, 1, 0) > 0 && poll.revents & POLLHUP;
}

long weft_socket_send(int fd, struct weft_descriptor *descriptor, const void *buffer, size_t size, int flags,
                      const void *address, size_t address_size)
{
    struct weft_attempt attempt = weft_attempt_at(fd, descriptor);
    bool whole = weft_descriptor_kind_of(fd, descriptor) == WEFT_KIND_STREAM && !(flags & MSG_DONTWAIT);
    const char *rest = buffer;
    size_t left = size;
    long result = 0;
    if (whole)
        weft_target_hold(&attempt.target);
    for (;;) {
        if (rest != (const char *)buffer && hung_up_meanwhile(attempt.target.fd))
            break;
        result = weft_raw6(SYS_sendto, attempt.target.fd, (long)rest, (long)left, flags | MSG_DONTWAIT,
                           (long)address, (long)address_size);
        if (result >= 0) {
            rest += result;
            left -= (size_t)result;
            weft_peer_written(attempt.descriptor, result);
            if (left == 0 || !whole)
                break;
            flags |= MSG_NOSIGNAL;
            attempt.futile = 0;
            if (!weft_attempt_blocks(&attempt))
                break;
        } else if (result != -EAGAIN || flags & MSG_DONTWAIT) {
            break;
        }
        if (attempt.futile == FUTILE_LIMIT) {
            weft_target_let_go(&attempt.target);
            result = weft_attempt_in_kernel(SYS_sendto, attempt.target.fd, (long)rest, (long)left, flags,
                                            (long)address, (long)address_size);
            if (result > 0)
                rest += result;
            break;
        }
        result = weft_attempt_wait(&attempt, WEFT_WRITABLE, WEFT_REASON_WRITE);
        if (result < 0)
            break;
    }
    return weft_target_done(&attempt.target,
                            rest > (const char *)buffer ? rest - (const char *)buffer : result);
}

/* As a message, or, for its vector alone, by writev: no bytes are none there, and a message or an error here.
 */
static long send_message(int fd, struct weft_descriptor *descriptor, const struct msghdr *message, int flags,
                         bool by_writev)
{
    struct weft_attempt attempt = weft_attempt_at(fd, descriptor);
    bool whole = weft_descriptor_kind_of(fd, descriptor) == WEFT_KIND_STREAM && !(flags & MSG_DONTWAIT) &&
                 !weft_descriptor_never_waits(descriptor);
    struct msghdr step;
    struct weft_vector rest = {0};
    long done = 0, result = 0;
    if (whole)
        weft_target_hold(&attempt.target);
    for (;;) {
        if (done > 0 && hung_up_meanwhile(attempt.target.fd))
            break;
        result = by_writev && done == 0 ? weft_raw6(SYS_pwritev2, attempt.target.fd, (long)message->msg_iov,
                                                    (long)message->msg_iovlen, -1, -1, RWF_NOWAIT)
                                        : weft_raw3(SYS_sendmsg, attempt.target.fd,
                                                    done ? (long)&step : (long)message, flags | MSG_DONTWAIT);
        if (result == -EOPNOTSUPP && by_writev && done == 0) {
            by_writev = false;
            continue;
        }
        if (result >= 0) {
            if (done == 0) {
                step = *message;
                if (step.msg_control && step.msg_controllen)
                    weft_descriptors_shared(); /* descriptors may have gone with it */
            }
            if (done == 0 && whole &&
                weft_vector_size(message->msg_iov, (long)message->msg_iovlen) > (size_t)result) {
                long copied = weft_vector_copy(&rest, message->msg_iov, (long)message->msg_iovlen);
                if (copied < 0)
                    break;
                step.msg_control = NULL; /* goes with the first byte only */
                step.msg_controllen = 0;
            }
            done += result;
            weft_peer_written(attempt.descriptor, result);
            if (!rest.parts || weft_vector_advance(&rest, (size_t)result))
                break;
            step.msg_iov = rest.parts;
            step.msg_iovlen = (size_t)rest.count;
            flags |= MSG_NOSIGNAL;
            attempt.futile = 0;
            if (!weft_attempt_blocks(&attempt))
                break;
        } else if (result != -EAGAIN || flags & MSG_DONTWAIT) {
            break;
        }
        if (attempt.futile == FUTILE_LIMIT) {
            weft_target_let_go(&attempt.target);
            result = weft_attempt_in_kernel(SYS_sendmsg, attempt.target.fd,
                                            done ? (long)&step : (long)message, flags, 0, 0, 0);
            if (result > 0)
                done += result;
            break;
        }
        result = weft_attempt_wait(&attempt, WEFT_WRITABLE, WEFT_REASON_WRITE);
        if (result < 0)
            break;
    }
    if (rest.parts)
        weft_vector_release(&rest);
    return weft_target_done(&attempt.target, done > 0 ? done : result);
}

long weft_socket_send_message(int fd, struct weft_descriptor *descriptor, const struct msghdr *message,
                              int flags)
{
    return send_message(fd, descriptor, message, flags, false);
}

long weft_socket_writev(int fd, struct weft_descriptor *descriptor, const struct iovec *vector, long count)
{
    struct msghdr message = {.msg_iov = (struct iovec *)vector, .msg_iovlen = (size_t)count};
    bool packet = weft_descriptor_kind_of(fd, descriptor) == WEFT_KIND_PACKET;
    return send_message(fd, descriptor, &message, packet ? MSG_EOR : 0, true);
}

/* It is a connect, too, which has its own ways not to wait. */
static bool connects(int flags)
{
    return (flags & (MSG_FASTOPEN | MSG_DONTWAIT)) == MSG_FASTOPEN;
}

WEFT_HOOK(sendto)
{
    int fd = (int)call->arguments[0];
    struct weft_descriptor *descriptor = weft_descriptor_find(fd);
    if (!weft_socket_may_wait(fd, descriptor))
        return weft_call_raw(call);
    if (connects((int)call->arguments[3]))
        return weft_block_in_kernel(call);
    return weft_socket_send(fd, descriptor, (const void *)call->arguments[1], (size_t)call->arguments[2],
                            (int)call->arguments[3], (const void *)call->arguments[4],
                            (size_t)call->arguments[5]);
}

WEFT_HOOK(sendmsg)
{
    int fd = (int)call->arguments[0];
    const struct msghdr *message = (const struct msghdr *)call->arguments[1];
    struct weft_descriptor *descriptor = weft_descriptor_find(fd);
    if (!message || !weft_kind_is_socket(weft_descriptor_kind_of(fd, descriptor)))
        return weft_call_raw(call);
    if (connects((int)call->arguments[2]) && !weft_descriptor_never_waits(descriptor))
        return weft_block_in_kernel(call);
    return weft_socket_send_message(fd, descriptor, message, (int)call->arguments[2]);
}
