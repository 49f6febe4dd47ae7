/* SPDX-License-Identifier: MIT */
/*
 * read, readv, write and writev on whatever a descriptor may be.
 *
 * The program's O_NONBLOCK is left as it is, so each kind has its own way not to block:
 *     sockets       MSG_DONTWAIT (attempt.h)
 *     pipes         preadv2, pwritev2 with RWF_NOWAIT
 *     what has no RWF_NOWAIT (terminals, devices, ...)   poll, then the call; to write the call, for many are
 *         never said to be ready, or refuse what is written whatever poll says
 *     files         file.c
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "../core/monitor.h"
#include "../core/slab.h"
#include "block.h"
#include "call.h"
#include "descriptor.h"
#include "file.h"
#include "hooks.h"
#include "peer.h"
#include "socket.h"
#include "terminal.h"
#include "vector.h"
#include "wait.h"

#ifndef RWF_NOWAIT
#define RWF_NOWAIT 8
#endif

static bool ready_now(int fd, short events)
{
    struct pollfd poll = {.fd = fd, .events = events};
    return weft_raw3(SYS_poll, (long)&poll, 1, 0) != 0;
}

/* What was ready may be gone by now, taken by somebody else: then this waits. */
static long brief_call(long number, int fd, const struct iovec *vector, long count)
{
    const struct weft_call call = {.number = number, .arguments = {fd, (long)vector, count}};
    return weft_block_briefly(&call);
}

/* One attempt that does not block: bytes, or -errno with -EAGAIN when it would. (A write: -EOPNOTSUPP when
 * only the kernel can tell.) */
static long try_read(int fd, struct weft_descriptor *descriptor, const struct iovec *vector, long count)
{
    if (!weft_descriptor_has(descriptor, WEFT_FD_NO_NOWAIT)) {
        long result = weft_raw6(SYS_preadv2, fd, (long)vector, count, -1, -1, RWF_NOWAIT);
        if (result != -EOPNOTSUPP)
            return result;
        weft_descriptor_note(descriptor, WEFT_FD_NO_NOWAIT, 0);
    }
    return ready_now(fd, POLLIN) ? brief_call(SYS_readv, fd, vector, count) : -EAGAIN;
}

static long try_write(int fd, struct weft_descriptor *descriptor, enum weft_descriptor_kind kind,
                      const struct iovec *vector, long count)
{
    if (!weft_descriptor_has(descriptor, WEFT_FD_NO_NOWAIT_WRITE)) {
        long result = weft_raw6(SYS_pwritev2, fd, (long)vector, count, -1, -1, RWF_NOWAIT);
        if (result != -EOPNOTSUPP)
            return result;
        weft_descriptor_note(descriptor, WEFT_FD_NO_NOWAIT_WRITE, 0);
        if (kind != WEFT_KIND_PIPE)
            return result;
    }
    return ready_now(fd, POLLOUT) ? brief_call(SYS_writev, fd, vector, count) : -EAGAIN;
}

/* For the next read, as in socket_receive.c. */
static void note_drained(struct weft_descriptor *descriptor, enum weft_descriptor_kind kind, long result,
                         const struct iovec *vector, long count)
{
    if (kind == WEFT_KIND_PIPE && result > 0 && (size_t)result < weft_vector_size(vector, count) &&
        !weft_descriptor_has(descriptor, WEFT_FD_NONBLOCK))
        weft_descriptor_note(descriptor, WEFT_FD_DRAINED, 0);
}

static long read_waiting(struct weft_call *call, struct weft_descriptor *descriptor,
                         enum weft_descriptor_kind kind, const struct iovec *vector, long count)
{
    struct weft_target target = weft_target_of((int)call->arguments[0]);
    if (kind == WEFT_KIND_TERMINAL && weft_terminal_in_background(target.fd))
        return weft_block_under_job_control(call, !weft_descriptor_blocks(target.fd, descriptor));
    if (weft_descriptor_has(descriptor, WEFT_FD_NO_NOWAIT) && !weft_descriptor_blocks(target.fd, descriptor))
        return weft_call_raw(call);
    long result;
    if (!weft_descriptor_has(descriptor, WEFT_FD_NONBLOCK) && weft_block_alone(call, &result))
        return result;
    bool wait_first = weft_descriptor_drained(descriptor) && weft_descriptor_blocks(target.fd, descriptor);
    for (bool waited = false, interrupted = false;; waited = true, wait_first = false) {
        result = wait_first ? -EAGAIN : try_read(target.fd, descriptor, vector, count);
        note_drained(descriptor, kind, result, vector, count);
        /* The kernel says so to who waits for a terminal that hangs up; to who comes later it is the end. */
        if (result == 0 && waited && kind == WEFT_KIND_TERMINAL && weft_terminal_hung_up(target.fd))
            result = -EIO;
        if (result != -EAGAIN || !(wait_first || weft_descriptor_blocks(target.fd, descriptor)))
            return weft_target_done(&target, result);
        if (interrupted)
            return weft_target_done(&target, -EINTR);
        if (kind == WEFT_KIND_TERMINAL && weft_terminal_counts(target.fd)) {
            weft_target_done(&target, 0);
            return weft_block_in_kernel(call);
        }
        result = weft_wait_target(&target, WEFT_READABLE, WEFT_REASON_READ, WEFT_NEVER);
        interrupted = result == -EINTR; /* data that has come, too, goes first, as in the kernel */
        if (result < 0 && !interrupted)
            return weft_target_done(&target, result);
        if (target.fd != target.original)
            descriptor = weft_descriptor_find(target.fd);
    }
}

/* The kernel knows when a write is done. One to a terminal ends before only by a signal: not by a kick for
 * something else. */
static long write_in_kernel(const struct weft_call *call, struct weft_descriptor *descriptor,
                            enum weft_descriptor_kind kind, const struct iovec *vector, long count)
{
    int fd = (int)call->arguments[0];
    struct weft_call rest_call = {.number = SYS_writev};
    struct weft_vector rest = {.parts = NULL};
    long done = 0, result;
    for (;;) {
        const struct weft_call *now = rest.parts ? &rest_call : call;
        bool briefly = ready_now(fd, POLLOUT) || !weft_descriptor_blocks(fd, descriptor);
        result = kind == WEFT_KIND_TERMINAL && weft_terminal_in_background(fd)
                     ? weft_block_under_job_control(now, briefly)
                 : briefly ? weft_block_briefly(now)
                           : weft_block_in_kernel(now);
        if (result <= 0)
            break;
        done += result;
        if (kind != WEFT_KIND_TERMINAL || __atomic_load_n(&weft_current->signal_due, __ATOMIC_SEQ_CST) ||
            !weft_descriptor_blocks(fd, descriptor) ||
            (!rest.parts && weft_vector_copy(&rest, vector, count) < 0) ||
            weft_vector_advance(&rest, (size_t)result))
            break;
        rest_call.arguments[0] = fd;
        rest_call.arguments[1] = (long)rest.parts;
        rest_call.arguments[2] = rest.count;
    }
    if (rest.parts)
        weft_vector_release(&rest);
    weft_peer_written(descriptor, result);
    return done > 0 ? done : result;
}

/* A blocking write on a pipe writes everything, in as many pieces as it takes. */
static long write_waiting(struct weft_call *call, struct weft_descriptor *descriptor,
                          enum weft_descriptor_kind kind, const struct iovec *vector, long count)
{
    struct weft_target target = weft_target_of((int)call->arguments[0]);
    struct weft_vector rest;
    bool interrupted = false;
    long done = 0, result;
    if (kind == WEFT_KIND_TERMINAL ||
        (kind != WEFT_KIND_PIPE && weft_descriptor_has(descriptor, WEFT_FD_NO_NOWAIT_WRITE)))
        return write_in_kernel(call, descriptor, kind, vector, count);
    if (weft_descriptor_has(descriptor, WEFT_FD_NO_NOWAIT_WRITE) &&
        !weft_descriptor_blocks(target.fd, descriptor))
        return weft_call_raw(call);
    weft_target_hold(&target);
    rest.parts = NULL;
    for (;;) {
        /* The first attempt is the kernel's to check the program's vector. */
        result = rest.parts ? try_write(target.fd, descriptor, kind, rest.parts, rest.count)
                            : try_write(target.fd, descriptor, kind, vector, count);
        if (result == -EOPNOTSUPP && kind != WEFT_KIND_PIPE && !rest.parts) {
            weft_target_done(&target, 0);
            return write_in_kernel(call, descriptor, kind, vector, count);
        }
        if (result >= 0 || result == -EAGAIN) {
            long copied = rest.parts ? 0 : weft_vector_copy(&rest, vector, count);
            if (copied < 0) {
                result = copied;
                break;
            }
        }
        if (result >= 0) {
            done += result;
            weft_peer_written(descriptor, result);
            if (weft_vector_advance(&rest, (size_t)result) || !weft_descriptor_blocks(target.fd, descriptor))
                break;
            if (result > 0 && !interrupted)
                continue;
        } else if (result != -EAGAIN || !weft_descriptor_blocks(target.fd, descriptor)) {
            break;
        }
        if (interrupted) {
            result = -EINTR;
            break;
        }
        result = weft_wait_target(&target, WEFT_WRITABLE, WEFT_REASON_WRITE, WEFT_NEVER);
        interrupted = result == -EINTR; /* room that has come, too, goes first */
        if (result < 0 && !interrupted)
            break;
        if (target.fd != target.original)
            descriptor = weft_descriptor_find(target.fd);
    }
    if (rest.parts)
        weft_vector_release(&rest);
    return weft_target_done(&target, done > 0 ? done : result);
}

/* Not open, or a file: nothing to wait for. */
static bool kernels_own(enum weft_descriptor_kind kind)
{
    return kind == WEFT_KIND_DISK || kind == WEFT_KIND_BAD;
}

/* A transfer the kernel refuses for its buffer, or cuts (MAX_RW_COUNT): the length is cut here too. */
static bool sane_buffer(const void *buffer, size_t *size)
{
    enum { MOST = INT_MAX - 4095 };
    const uintptr_t user_end = UINT64_C(0x7ffffffff000);
    if (*size > user_end || (uintptr_t)buffer > user_end - *size)
        return false;
    if (*size > MOST)
        *size = MOST;
    return true;
}

WEFT_HOOK(read)
{
    int fd = (int)call->arguments[0];
    struct weft_descriptor *descriptor = weft_descriptor_find(fd);
    enum weft_descriptor_kind kind = weft_descriptor_kind_of(fd, descriptor);
    size_t size = (size_t)call->arguments[2];
    if (size == 0 || kernels_own(kind) || !sane_buffer((void *)call->arguments[1], &size))
        return kind == WEFT_KIND_DISK ? weft_file_read(call, descriptor) : weft_call_raw(call);
    struct iovec part = {(void *)call->arguments[1], size};
    if (weft_kind_is_socket(kind) && weft_descriptor_never_waits(descriptor))
        return weft_call_raw(call);
    if (weft_kind_is_socket(kind))
        return weft_socket_receive(fd, descriptor, part.iov_base, part.iov_len, 0, NULL, NULL);
    return read_waiting(call, descriptor, kind, &part, 1);
}

WEFT_HOOK(readv)
{
    int fd = (int)call->arguments[0];
    const struct iovec *vector = (const struct iovec *)call->arguments[1];
    long count = call->arguments[2];
    struct weft_descriptor *descriptor = weft_descriptor_find(fd);
    enum weft_descriptor_kind kind = weft_descriptor_kind_of(fd, descriptor);
    if (kernels_own(kind) || count <= 0 || count > IOV_MAX)
        return weft_call_brief(call);
    if (weft_kind_is_socket(kind) && weft_descriptor_never_waits(descriptor))
        return weft_call_raw(call);
    if (weft_kind_is_socket(kind)) {
        /* No bytes wanted: readv returns at once, where recvmsg waits. This attempt knows. */
        long result = weft_raw6(SYS_preadv2, fd, (long)vector, count, -1, -1, RWF_NOWAIT);
        if (result != -EAGAIN && result != -EOPNOTSUPP)
            return result;
        struct msghdr message = {.msg_iov = (struct iovec *)vector, .msg_iovlen = (size_t)count};
        return weft_socket_receive_message(fd, descriptor, &message, 0);
    }
    return read_waiting(call, descriptor, kind, vector, count);
}

WEFT_HOOK(write)
{
    int fd = (int)call->arguments[0];
    struct weft_descriptor *descriptor = weft_descriptor_find(fd);
    enum weft_descriptor_kind kind = weft_descriptor_kind_of(fd, descriptor);
    size_t size = (size_t)call->arguments[2];
    if (kernels_own(kind) || (size == 0 && !weft_kind_is_socket(kind)) ||
        !sane_buffer((void *)call->arguments[1], &size))
        return weft_call_brief(call);
    struct iovec part = {(void *)call->arguments[1], size};
    if (weft_kind_is_socket(kind) && weft_descriptor_never_waits(descriptor))
        return weft_call_raw(call);
    if (weft_kind_is_socket(kind))
        return weft_socket_send(fd, descriptor, part.iov_base, part.iov_len,
                                kind == WEFT_KIND_PACKET ? MSG_EOR : 0, NULL, 0);
    return write_waiting(call, descriptor, kind, &part, 1);
}

WEFT_HOOK(writev)
{
    int fd = (int)call->arguments[0];
    const struct iovec *vector = (const struct iovec *)call->arguments[1];
    long count = call->arguments[2];
    struct weft_descriptor *descriptor = weft_descriptor_find(fd);
    enum weft_descriptor_kind kind = weft_descriptor_kind_of(fd, descriptor);
    if (kernels_own(kind) || count <= 0 || count > IOV_MAX)
        return weft_call_brief(call);
    if (weft_kind_is_socket(kind) && weft_descriptor_never_waits(descriptor))
        return weft_call_raw(call);
    if (weft_kind_is_socket(kind))
        return weft_socket_writev(fd, descriptor, vector, count);
    return write_waiting(call, descriptor, kind, vector, count);
}
