/* SPDX-License-Identifier: MIT */
/* The cache of descriptor.h, and the calls that change what a number means. */
#include "descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/timerfd.h>

#include "../core/lock.h"
#include "../core/slab.h"
#include "../core/timer.h"
#include "block.h"
#include "call.h"
#include "deadline.h"
#include "hooks.h"
#include "peer.h"
#include "terminal.h"
#include "wait.h"

enum { CHUNK = 4096, CHUNKS = 256 };

static struct weft_descriptor *_Atomic chunks[CHUNKS];
atomic_uint weft_descriptor_epoch = 1;

struct weft_descriptor *weft_descriptor_find(int fd)
{
    if (fd < 0 || fd >= CHUNK * CHUNKS)
        return NULL;
    struct weft_descriptor *chunk = atomic_load_explicit(&chunks[fd / CHUNK], memory_order_acquire);
    if (!chunk) {
        struct weft_descriptor *fresh = weft_pages_map(CHUNK * sizeof *fresh);
        if (!fresh)
            return NULL;
        if (atomic_compare_exchange_strong(&chunks[fd / CHUNK], &chunk, fresh))
            chunk = fresh;
        else
            weft_pages_unmap(fresh, CHUNK * sizeof *fresh);
    }
    return &chunk[fd % CHUNK];
}

void weft_descriptors_restart(void)
{
    for (int i = 0; i < CHUNKS; i++)
        for (int j = 0; chunks[i] && j < CHUNK; j++) {
            struct weft_descriptor *descriptor = &chunks[i][j];
            if (descriptor->holders || descriptor->observers) /* no page is copied in vain */
                descriptor->holders = descriptor->observers = 0;
        }
}

static enum weft_descriptor_kind kind_of_socket(int type)
{
    return type == SOCK_STREAM      ? WEFT_KIND_STREAM
           : type == SOCK_SEQPACKET ? WEFT_KIND_PACKET
                                    : WEFT_KIND_DATAGRAM;
}

static enum weft_descriptor_kind ask_kind(int fd)
{
    struct stat status;
    if (weft_raw2(SYS_fstat, fd, (long)&status) != 0)
        return WEFT_KIND_BAD;
    switch (status.st_mode & S_IFMT) {
    case S_IFREG:
    case S_IFDIR:
    case S_IFBLK:
        return WEFT_KIND_DISK;
    case S_IFIFO:
        weft_peer_find(fd, &status);
        return WEFT_KIND_PIPE;
    case S_IFSOCK: {
        int type = 0, size = sizeof type;
        weft_raw5(SYS_getsockopt, fd, SOL_SOCKET, SO_TYPE, (long)&type, (long)&size);
        return kind_of_socket(type);
    }
    case S_IFCHR: {
        enum { MEMORY_DEVICES = 1 }; /* /dev/null, which is opened often, and its like */
        char modes[64];              /* struct termios as the kernel has it, and more */
        if (major(status.st_rdev) == MEMORY_DEVICES)
            return WEFT_KIND_OTHER;
        return weft_raw3(SYS_ioctl, fd, TCGETS, (long)modes) == 0 ? WEFT_KIND_TERMINAL : WEFT_KIND_OTHER;
    }
    default:
        return WEFT_KIND_OTHER;
    }
}

/* Replaces what was `seen` by `now`, if it is still that. */
static bool replace(struct weft_descriptor *descriptor, union weft_descriptor_word seen,
                    union weft_descriptor_word now)
{
    return seen.word == now.word || atomic_compare_exchange_strong(&descriptor->word, &seen.word, now.word);
}

void weft_descriptor_note(struct weft_descriptor *descriptor, unsigned set, unsigned clear)
{
    union weft_descriptor_word seen, now;
    if (!descriptor)
        return;
    do {
        now = seen = weft_descriptor_look(descriptor);
        now.flags = (uint8_t)((seen.flags & ~clear) | set);
    } while (!replace(descriptor, seen, now));
}

enum weft_descriptor_kind weft_descriptor_kind_of(int fd, struct weft_descriptor *descriptor)
{
    union weft_descriptor_word seen = weft_descriptor_look(descriptor), now = seen;
    if (seen.kind != WEFT_KIND_UNKNOWN)
        return seen.kind;
    enum weft_descriptor_kind kind = ask_kind(fd);
    if (descriptor && kind != WEFT_KIND_BAD) {
        now.kind = (uint8_t)kind;
        replace(descriptor, seen, now);
    }
    return kind;
}

static bool is_private(union weft_descriptor_word seen)
{
    return seen.private_epoch == atomic_load_explicit(&weft_descriptor_epoch, memory_order_relaxed);
}

bool weft_descriptor_private(struct weft_descriptor *descriptor)
{
    return is_private(weft_descriptor_look(descriptor));
}

/* The flags of a record that says whether the description is O_NONBLOCK. */
static uint8_t flags_with(union weft_descriptor_word word, bool nonblock)
{
    return (uint8_t)((word.flags & ~WEFT_FD_NONBLOCK) | WEFT_FD_NONBLOCK_KNOWN |
                     (nonblock ? WEFT_FD_NONBLOCK : 0));
}

bool weft_descriptor_blocks(int fd, struct weft_descriptor *descriptor)
{
    union weft_descriptor_word seen = weft_descriptor_look(descriptor), now = seen;
    if (is_private(seen) && seen.flags & WEFT_FD_NONBLOCK_KNOWN)
        return !(seen.flags & WEFT_FD_NONBLOCK);
    long flags = weft_raw3(SYS_fcntl, fd, F_GETFL, 0);
    bool blocks = flags >= 0 && !(flags & O_NONBLOCK);
    now.flags = flags_with(seen, !blocks);
    if (descriptor)
        replace(descriptor, seen, now); /* of one that is not private, as a hint */
    return blocks;
}

int64_t weft_descriptor_deadline(int fd, struct weft_descriptor *descriptor, int option)
{
    uint8_t forever = option == SO_RCVTIMEO ? WEFT_FD_RECEIVE_FOREVER : WEFT_FD_SEND_FOREVER;
    union weft_descriptor_word seen = weft_descriptor_look(descriptor), now = seen;
    if (is_private(seen) && seen.flags & forever)
        return WEFT_NEVER;
    struct timeval time = {0, 0};
    int size = sizeof time;
    weft_raw5(SYS_getsockopt, fd, SOL_SOCKET, option, (long)&time, (long)&size);
    if (time.tv_sec == 0 && time.tv_usec == 0) {
        now.flags |= forever;
        if (is_private(seen))
            replace(descriptor, seen, now);
        return WEFT_NEVER;
    }
    struct timespec span = {time.tv_sec, time.tv_usec * 1000};
    return weft_deadline_from(&span, -1);
}

/* Makes the record say `kind`, `flags` and `private_epoch` from now on, whatever anybody is about to note. */
static void renew(int fd, unsigned kind, unsigned flags, uint32_t private_epoch)
{
    struct weft_descriptor *descriptor = weft_descriptor_find(fd);
    union weft_descriptor_word seen, now;
    if (!descriptor)
        return;
    weft_peer_forget(descriptor);
    do {
        seen = weft_descriptor_look(descriptor);
        now.kind = (uint8_t)kind;
        now.flags = (uint8_t)flags;
        now.generation = (uint16_t)(seen.generation + 1);
        now.private_epoch = private_epoch;
    } while (!replace(descriptor, seen, now));
}

static void forget(int fd)
{
    renew(fd, WEFT_KIND_UNKNOWN, 0, 0);
}

static void share(int fd)
{
    struct weft_descriptor *descriptor = weft_descriptor_find(fd);
    union weft_descriptor_word seen, now;
    if (!descriptor)
        return;
    do {
        now = seen = weft_descriptor_look(descriptor);
        now.private_epoch = 0;
    } while (!replace(descriptor, seen, now));
}

void weft_descriptor_made(int fd, enum weft_descriptor_kind kind, int flags)
{
    renew(fd, kind, (unsigned)flags, atomic_load(&weft_descriptor_epoch));
}

void weft_descriptors_shared(void)
{
    atomic_fetch_add(&weft_descriptor_epoch, 1);
}

/* What the call that makes a descriptor says of it. Of all calls and all their flags one bit means
 * O_NONBLOCK.
 */
static enum weft_descriptor_kind kind_made(const struct weft_call *call)
{
    enum { TYPE = 15 };
    switch (call->number) {
    case SYS_socket:
    case SYS_socketpair:
        return kind_of_socket((int)call->arguments[1] & TYPE);
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
    forget(fd);
}

/* What somebody has learnt of it, or begun to watch, between the two is not to be trusted. */
static void note_left(int fd)
{
    weft_wait_note_closing(fd);
    forget(fd);
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
    for (unsigned fd = first; fd <= last && fd < CHUNK * CHUNKS; fd++) {
        if (!chunks[fd / CHUNK]) {
            fd |= CHUNK - 1;
            continue;
        }
        if (!weft_loop_owns((int)fd))
            leave_number((int)fd);
    }
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
    share((int)call->arguments[0]);
    long fd = weft_call_raw(call);
    if (fd >= 0)
        forget((int)fd);
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
    share(from);
    if (from != to && weft_raw3(SYS_fcntl, from, F_GETFD, 0) >= 0)
        leave_number(to);
    long result = weft_call_raw(call);
    if (from != to)
        note_left(to);
    return result;
}

/* The number's generation tells those who have asked the kernel meanwhile that their answer may be old. */
static void forget_nonblock(struct weft_descriptor *descriptor)
{
    union weft_descriptor_word seen, now;
    if (!descriptor)
        return;
    do {
        now = seen = weft_descriptor_look(descriptor);
        now.flags &= (uint8_t)~WEFT_FD_NONBLOCK_KNOWN;
        now.generation++;
    } while (!replace(descriptor, seen, now));
}

/* A call that sets O_NONBLOCK. The record says so if nobody has changed it since we looked, before the call:
 * of two that set it at the same time only the kernel knows who was last. */
static long set_nonblock(const struct weft_call *call, bool nonblock)
{
    struct weft_descriptor *descriptor = weft_descriptor_find((int)call->arguments[0]);
    union weft_descriptor_word seen = weft_descriptor_look(descriptor), now = seen;
    long result = weft_call_raw(call);
    now.flags = flags_with(seen, nonblock);
    now.generation++;
    if (result == 0 && descriptor && !replace(descriptor, seen, now))
        forget_nonblock(descriptor);
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
        share(fd);
        long copy = weft_call_raw(call);
        if (copy >= 0)
            forget((int)copy);
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
        forget_nonblock(weft_descriptor_find(fd));
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
