/* SPDX-License-Identifier: MIT */
/* The calls that change what a number means, or what weft remembers of it. */
#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include "block.h"
#include "call.h"
#include "descriptor.h"
#include "hooks.h"
#include "peer.h"
#include "terminal.h"
#include "wait.h"

/* What the call that makes a descriptor says of it. Of all calls and all their flags one bit means
 * O_NONBLOCK.
 */
static enum weft_descriptor_kind kind_made(const struct weft_call *call)
{
    enum { TYPE = 15 };
    switch (call->number) {
    case SYS_socket:
    case SYS_socketpair:
        return weft_kind_of_socket((int)call->arguments[1] & TYPE);
    case SYS_pipe:
    case SYS_pipe2:
        return WEFT_KIND_PIPE;
    default:
        return WEFT_KIND_OTHER; /* eventfd2, timerfd_create */
    }
}

/* A new socket has no time-outs. (One that is accepted has those that the listener had when the connection
 * was made.) */
static int flags_made(const struct weft_call *call)
{
    bool socket = call->number == SYS_socket || call->number == SYS_socketpair;
    _Static_assert(SOCK_NONBLOCK == O_NONBLOCK && EFD_NONBLOCK == O_NONBLOCK && TFD_NONBLOCK == O_NONBLOCK,
                   "one bit");
    bool nonblock = call->number != SYS_pipe && call->arguments[1] & O_NONBLOCK;
    return WEFT_FD_NONBLOCK_KNOWN | (nonblock ? WEFT_FD_NONBLOCK : 0) |
           (socket ? WEFT_FD_RECEIVE_FOREVER | WEFT_FD_SEND_FOREVER : 0);
}

/* socket, eventfd2, timerfd_create */
WEFT_HOOK(creates_one)
{
    long fd = weft_call_raw(call);
    if (fd >= 0)
        weft_descriptor_made((int)fd, kind_made(call), flags_made(call));
    if (fd >= 0 && call->number == SYS_eventfd2)
        weft_peers_made((int)fd, (int)fd);
    return fd;
}

/* pipe, pipe2, socketpair */
WEFT_HOOK(creates_pair)
{
    long result = weft_call_raw(call);
    if (result == 0) {
        const int *pair = (const int *)call->arguments[call->number == SYS_socketpair ? 3 : 0];
        weft_descriptor_made(pair[0], kind_made(call), flags_made(call));
        weft_descriptor_made(pair[1], kind_made(call), flags_made(call));
        weft_peers_made(pair[0], pair[1]);
    }
    return result;
}

/* Those who wait for `fd` go on waiting for its description, as natively, under another number. */
static void leave_number(int fd)
{
    weft_wait_leave_number(fd);
    weft_descriptor_forget(fd);
}

/* What somebody has learnt of it, or begun to watch, between the two is not to be trusted. */
static void note_left(int fd)
{
    weft_wait_note_closing(fd);
    weft_descriptor_forget(fd);
}

WEFT_HOOK(close)
{
    int fd = (int)call->arguments[0];
    if (weft_loop_owns(fd))
        return -EBADF;
    leave_number(fd);
    long result = weft_call_raw(call);
    note_left(fd);
    return result;
}

WEFT_HOOK(close_range)
{
    enum { CLOEXEC = 4 };
    unsigned first = (unsigned)call->arguments[0], last = (unsigned)call->arguments[1];
    unsigned flags = (unsigned)call->arguments[2];
    if (flags & CLOEXEC || first > last)
        return weft_call_raw(call);
    for (unsigned fd = weft_descriptor_from(first); fd <= last && fd < WEFT_DESCRIPTORS;
         fd = weft_descriptor_from(fd + 1))
        if (!weft_loop_owns((int)fd))
            leave_number((int)fd);
    /* Around our own descriptors, which are not there as far as the program is concerned. */
    int owned[WEFT_OWN_DESCRIPTORS], count = weft_loop_owned(owned);
    for (int i = 0; i < count; i++) {
        unsigned own = (unsigned)owned[i];
        if (own < first || own > last)
            continue;
        if (own > first) {
            long result = weft_raw3(SYS_close_range, first, own - 1, flags);
            if (result < 0)
                return result;
        }
        if (own == last)
            return 0;
        first = own + 1;
    }
    return weft_raw3(SYS_close_range, first, last, flags);
}

WEFT_HOOK(dup)
{
    weft_descriptor_share((int)call->arguments[0]);
    long fd = weft_call_raw(call);
    if (fd >= 0)
        weft_descriptor_forget((int)fd);
    return fd;
}

/* Also dup3. */
WEFT_HOOK(dup2)
{
    int from = (int)call->arguments[0], to = (int)call->arguments[1];
    if (weft_loop_owns(from))
        return -EBADF;
    if (weft_loop_owns(to))
        return -EBUSY; /* as when the number is being opened; see the README's limits */
    weft_descriptor_share(from);
    if (from != to && weft_raw3(SYS_fcntl, from, F_GETFD, 0) >= 0)
        leave_number(to);
    long result = weft_call_raw(call);
    if (from != to)
        note_left(to);
    return result;
}

static long set_nonblock(const struct weft_call *call, bool nonblock)
{
    struct weft_descriptor *descriptor = weft_descriptor_find((int)call->arguments[0]);
    union weft_descriptor_word before = weft_descriptor_look(descriptor);
    long result = weft_call_raw(call);
    if (result == 0)
        weft_descriptor_note_nonblock(descriptor, before, nonblock);
    return result;
}

WEFT_HOOK(fcntl)
{
    int fd = (int)call->arguments[0];
    int command = (int)call->arguments[1];
    if (weft_loop_owns(fd))
        return -EBADF;
    switch (command) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC: {
        weft_descriptor_share(fd);
        long copy = weft_call_raw(call);
        if (copy >= 0)
            weft_descriptor_forget((int)copy);
        return copy;
    }
    case F_SETFL:
        return set_nonblock(call, call->arguments[2] & O_NONBLOCK);
    case F_SETLKW:
    case F_OFD_SETLKW:
        return weft_block_on_record_lock(call);
    default:
        return weft_call_raw(call);
    }
}

WEFT_HOOK(ioctl)
{
    int fd = (int)call->arguments[0];
    if (weft_loop_owns(fd))
        return -EBADF;
    unsigned request = (unsigned)call->arguments[1];
    if (weft_terminal_controls_jobs(request) && weft_terminal_in_background(fd))
        return weft_block_under_job_control(call, true);
    long result = weft_call_raw(call);
    if (request == FIONBIO)
        weft_descriptor_forget_nonblock(weft_descriptor_find(fd));
    return result;
}

static bool sets_time(long option)
{
    switch (option) {
    case SO_RCVTIMEO:
    case SO_SNDTIMEO:
    case SO_RCVTIMEO_NEW:
    case SO_SNDTIMEO_NEW:
        return true;
    default:
        return false;
    }
}

WEFT_HOOK(setsockopt)
{
    long result = weft_call_raw(call);
    if (call->arguments[1] == SOL_SOCKET && sets_time(call->arguments[2]))
        weft_descriptor_note(weft_descriptor_find((int)call->arguments[0]), 0,
                             WEFT_FD_RECEIVE_FOREVER | WEFT_FD_SEND_FOREVER);
    return result;
}
