/* SPDX-License-Identifier: MIT */
/*
 * recv and its relatives.
 *
 * Steady state of a request and its response: the last receive was short, so the next one waits first
 * (one poll of the loop for all), receives (one call), and the send goes through (one call).
 */
#include <errno.h>
#include <poll.h>

#include "attempt.h"
#include "block.h"
#include "call.h"
#include "hooks.h"
#include "socket.h"
#include "user.h"
#include "vector.h"

enum { TURN_CYCLES = 2000000 }; /* some 0.8 ms; the monitor looks after 1 */

/* After shutdown a datagram socket is readable, and yet has nothing for a call that does not wait. */
static bool hung_up(int fd)
{
    struct pollfd poll = {.fd = fd, .events = POLLRDHUP};
    return weft_raw3(SYS_poll, (long)&poll, 1, 0) > 0;
}

/*
 * A receive has found something. Who finds something again and again without having waited for it, since his
 * peer answers at once, keeps others waiting: after TURN_CYCLES they have their turns. Before the monitor
 * takes his processor, which would cost more, and not much sooner, for whoever comes next finds cold caches:
 * between sysbench and MariaDB 0.1 ms made the 99th percentile a third, and took 10 percent of the rate with
 * 64 threads, 40 with 512. May park.
 */
static long note_found(long result)
{
    struct coroutine *self = weft_current;
    if (result <= 0)
        return result;
    if (self->found_at != self->switches) {
        self->found_at = self->switches;
        self->turn_began = __builtin_ia32_rdtsc();
        return result;
    }
    struct processor *processor = self->carrier->processor; /* perhaps no longer ours: hints */
    weft_hint_set(processor->found, __atomic_load_n(&processor->found, __ATOMIC_RELAXED) + 1);
    if (__builtin_ia32_rdtsc() - self->turn_began < TURN_CYCLES)
        return result;
    if (weft_processor_has_work(processor))
        weft_yield(self);
    self->turn_began = __builtin_ia32_rdtsc();
    return result;
}

/* A receive that does not wait: who has found nothing need not ask poll for the same next. */
static long note_empty(int fd, long result)
{
    struct coroutine *self = weft_current;
    if (result == -EAGAIN) {
        self->empty_fd = fd;
        self->empty_at = self->switches;
    }
    return result;
}

/* Remembers that a stream had less than was asked for. Who seems not to block would not wait first either:
 * for that the kernel need not be asked. */
static void note_drained(struct weft_descriptor *descriptor, long result, size_t size, int flags)
{
    if (weft_descriptor_look(descriptor).kind == WEFT_KIND_STREAM && result > 0 && (size_t)result < size &&
        !(flags & MSG_PEEK) && !weft_descriptor_has(descriptor, WEFT_FD_NONBLOCK))
        weft_descriptor_note(descriptor, WEFT_FD_DRAINED, 0);
}

/* MSG_WAITALL on a stream needs several receives; peeking for all needs the kernel. */
static long receive_all(int fd, struct weft_descriptor *descriptor, const struct iovec *parts, long count,
                        int flags, struct msghdr *message)
{
    struct weft_attempt attempt = weft_attempt_at(fd, descriptor);
    struct weft_vector rest;
    long done = 0, result = weft_vector_copy(&rest, parts, count);
    if (result < 0)
        return result;
    weft_target_hold(&attempt.target);
    weft_attempt_blocks(&attempt);
    for (;;) {
        struct msghdr step = message && done == 0 ? *message : (struct msghdr){0};
        step.msg_iov = rest.parts;
        step.msg_iovlen = (size_t)rest.count;
        result =
            weft_raw3(SYS_recvmsg, attempt.target.fd, (long)&step, (flags & ~MSG_WAITALL) | MSG_DONTWAIT);
        if (message && done == 0 && result >= 0) {
            message->msg_namelen = step.msg_namelen;
            message->msg_controllen = step.msg_controllen;
            message->msg_flags = step.msg_flags;
        }
        if (result > 0) {
            done += result;
            if (weft_vector_advance(&rest, (size_t)result) || step.msg_controllen)
                break;
            continue;
        }
        if (result != -EAGAIN)
            break;
        result = weft_attempt_wait(&attempt, WEFT_READABLE, WEFT_REASON_READ);
        if (result < 0)
            break;
    }
    weft_vector_release(&rest);
    return weft_target_done(&attempt.target, done > 0 ? done : result);
}

long weft_socket_receive(int fd, struct weft_descriptor *descriptor, void *buffer, size_t size, int flags,
                         void *address, void *address_size)
{
    struct weft_attempt attempt = weft_attempt_at(fd, descriptor);
    bool wait_first = weft_descriptor_drained(descriptor) && !(flags & MSG_DONTWAIT) && size > 0;
    struct weft_call call = {
        .number = SYS_recvfrom,
        .arguments = {fd, (long)buffer, (long)size, flags, (long)address, (long)address_size}};
    long result;
    if (!(flags & MSG_DONTWAIT) && !weft_descriptor_has(descriptor, WEFT_FD_NONBLOCK) &&
        weft_block_alone(&call, &result)) {
        note_drained(descriptor, result, size, flags);
        return result;
    }
    for (;;) {
        result = -EAGAIN;
        if (!wait_first) {
            result = weft_raw6(SYS_recvfrom, attempt.target.fd, (long)buffer, (long)size,
                               flags | MSG_DONTWAIT, (long)address, (long)address_size);
            if (result != -EAGAIN || flags & MSG_DONTWAIT) {
                note_empty(fd, result);
                note_drained(attempt.descriptor, result, size, flags);
                return note_found(weft_target_done(&attempt.target, result));
            }
        }
        if (attempt.futile > 0 && hung_up(attempt.target.fd)) /* shut down: the kernel returns at once */
            return weft_target_done(&attempt.target,
                                    weft_attempt_in_kernel(SYS_recvfrom, attempt.target.fd, (long)buffer,
                                                           (long)size, flags, (long)address,
                                                           (long)address_size));
        bool was_first = wait_first;
        wait_first = false;
        result = weft_attempt_wait(&attempt, WEFT_READABLE, WEFT_REASON_READ);
        if (result == -EAGAIN && was_first)
            continue; /* does not block: the one attempt is still to be made */
        if (result < 0)
            return weft_target_done(&attempt.target, result);
    }
}

long weft_socket_receive_message(int fd, struct weft_descriptor *descriptor, struct msghdr *message,
                                 int flags)
{
    struct weft_attempt attempt = weft_attempt_at(fd, descriptor);
    for (;;) {
        long result = weft_raw3(SYS_recvmsg, attempt.target.fd, (long)message, flags | MSG_DONTWAIT);
        if (result != -EAGAIN || flags & MSG_DONTWAIT)
            return note_found(weft_target_done(&attempt.target, result));
        if (attempt.futile > 0 && hung_up(attempt.target.fd))
            return weft_target_done(&attempt.target, weft_attempt_in_kernel(SYS_recvmsg, attempt.target.fd,
                                                                            (long)message, flags, 0, 0, 0));
        result = weft_attempt_wait(&attempt, WEFT_READABLE, WEFT_REASON_READ);
        if (result < 0)
            return weft_target_done(&attempt.target, result);
    }
}

static bool wants_all(struct weft_descriptor *descriptor, int fd, int flags)
{
    return flags & MSG_WAITALL && !(flags & MSG_DONTWAIT) &&
           weft_descriptor_kind_of(fd, descriptor) == WEFT_KIND_STREAM;
}

/* Errors of the queue and out-of-band data do not wait; peeking for everything cannot be done in steps. */
static bool left_to_kernel(int flags)
{
    return flags & (MSG_OOB | MSG_ERRQUEUE) || (flags & (MSG_PEEK | MSG_WAITALL)) == (MSG_PEEK | MSG_WAITALL);
}

WEFT_HOOK(recvfrom)
{
    int fd = (int)call->arguments[0], flags = (int)call->arguments[3];
    struct weft_descriptor *descriptor = weft_descriptor_find(fd);
    if (!weft_socket_may_wait(fd, descriptor))
        return note_empty(fd, weft_call_raw(call));
    if (left_to_kernel(flags))
        return flags & MSG_OOB ? weft_call_raw(call) : weft_block_in_kernel(call);
    if (wants_all(descriptor, fd, flags)) {
        struct iovec part = {(void *)call->arguments[1], (size_t)call->arguments[2]};
        socklen_t *address_size = (socklen_t *)call->arguments[5];
        struct msghdr message = {.msg_name = (void *)call->arguments[4]};
        if (!message.msg_name)
            return receive_all(fd, descriptor, &part, 1, flags, NULL);
        if (!weft_user_read(&message.msg_namelen, address_size, sizeof message.msg_namelen))
            return weft_block_in_kernel(call);
        long result = receive_all(fd, descriptor, &part, 1, flags, &message);
        if (result >= 0)
            *address_size = message.msg_namelen;
        return result;
    }
    return weft_socket_receive(fd, descriptor, (void *)call->arguments[1], (size_t)call->arguments[2], flags,
                               (void *)call->arguments[4], (void *)call->arguments[5]);
}

WEFT_HOOK(recvmsg)
{
    int fd = (int)call->arguments[0], flags = (int)call->arguments[2];
    struct msghdr *message = (struct msghdr *)call->arguments[1];
    struct weft_descriptor *descriptor = weft_descriptor_find(fd);
    if (!message || !weft_socket_may_wait(fd, descriptor) || flags & MSG_DONTWAIT)
        return note_empty(fd, weft_call_raw(call));
    if (left_to_kernel(flags))
        return flags & (MSG_OOB | MSG_ERRQUEUE) ? weft_call_raw(call) : weft_block_in_kernel(call);
    if (wants_all(descriptor, fd, flags))
        return receive_all(fd, descriptor, message->msg_iov, (long)message->msg_iovlen, flags, message);
    return weft_socket_receive_message(fd, descriptor, message, flags);
}
