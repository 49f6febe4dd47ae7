/* SPDX-License-Identifier: MIT */
/*
 * accept, connect and shutdown.
 *
 * Neither has a flag for "do not wait". accept looks first (poll) and then calls; should another process take
 * the connection in between, the kernel waits and the processor is handed on. connect makes a private
 * description non-blocking for just the one call; a shared one is never touched: there the kernel waits.
 */
#include "connect.h"

#include <errno.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "../core/monitor.h"
#include "../core/visit.h"
#include "block.h"
#include "call.h"
#include "deadline.h"
#include "descriptor.h"
#include "hooks.h"
#include "wait.h"

static bool connection_waits(int fd)
{
    struct pollfd poll = {.fd = fd, .events = POLLIN};
    return weft_raw3(SYS_poll, (long)&poll, 1, 0) != 0; /* also for errors: accept will tell them */
}

/*
 * One at a time looks and accepts on a number: so nobody of this process takes the connection between the
 * two. Another process may; then the kernel waits, and the monitor sees to it.
 */
enum { ACCEPTING = 256 };
static atomic_flag accepting[ACCEPTING];

/* Returns false when no connection waits, or somebody else is about to take it. */
static bool try_accept(int fd, const struct weft_call *call, int flags, long *result)
{
    atomic_flag *busy = &accepting[fd % ACCEPTING];
    struct coroutine *self = weft_current;
    if (atomic_flag_test_and_set_explicit(busy, memory_order_acquire))
        return false;
    bool waits = connection_waits(fd);
    if (waits) {
        weft_kernel_brief_begin(self);
        *result = weft_raw4(SYS_accept4, fd, call->arguments[1], call->arguments[2], flags);
        weft_kernel_brief_end(self);
    }
    atomic_flag_clear_explicit(busy, memory_order_release);
    return waits;
}

void weft_accepts_restart(void)
{
    for (int i = 0; i < ACCEPTING; i++)
        atomic_flag_clear(&accepting[i]);
}

static bool listens(int fd)
{
    int listening = 0, size = sizeof listening;
    weft_raw5(SYS_getsockopt, fd, SOL_SOCKET, SO_ACCEPTCONN, (long)&listening, (long)&size);
    return listening;
}

/*
 * Who makes a thread for each connection, and finds connections waiting, would not stop: a thousand threads
 * would begin before the first of them ran. Natively they run meanwhile, and those who come are kept waiting
 * in the kernel. So others have a turn after THREADS: with 8 or 16 tinyproxy answers 1,000 clients 1.18 times
 * as fast as without, and the slowest of them in 0.6 of the time (with 64: 1.08).
 */
static void let_others_run(struct coroutine *self)
{
    enum { THREADS = 16 };
    if (!self->made_thread)
        return;
    self->made_thread = false;
    if (self->accept_turn != self->switches)
        self->accepts = 0;
    self->accept_turn = self->switches;
    if (++self->accepts < THREADS || self->bound || self->priority)
        return;
    self->accepts = 0;
    weft_yield(self);
}

/* Nobody was found waiting, if one has looked. */
static long wait_and_accept(struct weft_target *target, struct weft_descriptor *descriptor,
                            const struct weft_call *call, int flags)
{
    bool blocks = weft_descriptor_blocks(target->fd, descriptor);
    int64_t deadline = blocks ? weft_descriptor_deadline(target->fd, descriptor, SO_RCVTIMEO) : WEFT_NEVER;
    bool expired = false, interrupted = false;
    long result;
    do {
        if (!blocks || !listens(target->fd))
            return weft_raw4(SYS_accept4, target->fd, call->arguments[1], call->arguments[2], flags);
        if (interrupted || expired)
            return interrupted ? -EINTR : -EAGAIN;
        result = weft_wait_target(target, WEFT_READABLE, WEFT_REASON_ACCEPT, deadline);
        interrupted = result == -EINTR; /* who has come, too, is accepted first, as in the kernel */
        if (result < 0 && result != -ETIMEDOUT && !interrupted)
            return result;
        expired = result == -ETIMEDOUT || weft_deadline_passed(deadline);
    } while (!try_accept(target->fd, call, flags, &result));
    return result;
}

/* accept and accept4. Who waits is accepted whether the descriptor blocks or not: the kernel is asked for
 * that when nobody does. */
WEFT_HOOK(accept)
{
    int flags = call->number == SYS_accept4 ? (int)call->arguments[3] : 0;
    struct weft_target target = weft_target_of((int)call->arguments[0]);
    struct weft_descriptor *descriptor = weft_descriptor_find(target.fd);
    enum weft_descriptor_kind kind = weft_descriptor_kind_of(target.fd, descriptor);
    if (!weft_kind_is_socket(kind) || flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK))
        return weft_call_raw(call);
    bool seems_to_block = !weft_descriptor_has(descriptor, WEFT_FD_NONBLOCK);
    long result;
    if (!seems_to_block || !try_accept(target.fd, call, flags, &result))
        result = wait_and_accept(&target, descriptor, call, flags);
    weft_target_done(&target, 0);
    if (result >= 0) {
        weft_descriptor_made((int)result, kind,
                             WEFT_FD_NONBLOCK_KNOWN | (flags & SOCK_NONBLOCK ? WEFT_FD_NONBLOCK : 0));
        let_others_run(weft_current);
    }
    return result;
}

static void set_nonblocking(int fd, int nonblocking)
{
    weft_raw3(SYS_ioctl, fd, FIONBIO, (long)&nonblocking);
}

/* Does not wait. Once more tells how one went that is settled, and -EALREADY of one that is not; between
 * addresses of this host it is settled at once. */
static long try_connect(const struct weft_target *target, const struct weft_call *call, long *first)
{
    set_nonblocking(target->fd, true);
    long result = *first = weft_raw3(SYS_connect, target->fd, call->arguments[1], call->arguments[2]);
    if (result == -EINPROGRESS)
        result = weft_raw3(SYS_connect, target->fd, call->arguments[1], call->arguments[2]);
    set_nonblocking(target->fd, false);
    return result;
}

static long connect_private(struct weft_call *call, struct weft_descriptor *descriptor)
{
    struct weft_target target = weft_target_of((int)call->arguments[0]);
    int64_t deadline = WEFT_NEVER;
    weft_target_hold(&target); /* O_NONBLOCK is not to be left on another description, either */
    long under_way, again, result = try_connect(&target, call, &under_way);
    if (result == -EAGAIN) { /* a local listener's backlog is full, and no readiness tells when it is not */
        weft_target_done(&target, 0);
        return weft_block_in_kernel(call);
    }
    if (result == -EALREADY) /* by now, or since a signal interrupted it, or another thread began it */
        deadline = weft_descriptor_deadline(target.fd, descriptor, SO_SNDTIMEO);
    while (result == -EALREADY) {
        result = weft_wait_target(&target, WEFT_WRITABLE, WEFT_REASON_CONNECT, deadline);
        if (result == 0)
            result = try_connect(&target, call, &again);
        else if (result == -ETIMEDOUT)
            return weft_target_done(&target, under_way); /* as the kernel says when SO_SNDTIMEO is over */
    }
    return weft_target_done(&target, result);
}

WEFT_HOOK(connect)
{
    int fd = (int)call->arguments[0];
    struct weft_descriptor *descriptor = weft_descriptor_find(fd);
    enum weft_descriptor_kind kind = weft_descriptor_kind_of(fd, descriptor);
    if (!weft_kind_is_socket(kind) || kind == WEFT_KIND_DATAGRAM || !weft_descriptor_blocks(fd, descriptor))
        return weft_call_raw(call);
    return weft_descriptor_private(descriptor) ? connect_private(call, descriptor)
                                               : weft_block_in_kernel(call);
}

static void wake_writers(void *processor)
{
    weft_vectors_preserved(weft_loop_wake_writers, ((struct processor *)processor)->loop);
}

/* When the reading side of a local stream is shut down its peer's writer fails, but is not made writable. */
WEFT_HOOK(shutdown)
{
    int fd = (int)call->arguments[0], domain = 0, size = sizeof domain;
    long result = weft_call_raw(call);
    if (result != 0 || call->arguments[1] == SHUT_WR)
        return result;
    weft_raw5(SYS_getsockopt, fd, SOL_SOCKET, SO_DOMAIN, (long)&domain, (long)&size);
    if (domain != AF_UNIX)
        return result;
    weft_wait_note_local_shutdown();
    for (unsigned i = 0; i < weft_processor_count; i++)
        weft_visit(&weft_processors[i], wake_writers, &weft_processors[i]);
    return result;
}
