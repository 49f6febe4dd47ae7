/* SPDX-License-Identifier: MIT */
/* The cache of descriptor.h. */
#include "descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/time.h>

#include "../core/raw.h"
#include "../core/slab.h"
#include "../core/timer.h"
#include "deadline.h"
#include "peer.h"

enum { CHUNK = 4096, CHUNKS = WEFT_DESCRIPTORS / CHUNK };

static struct weft_descriptor *_Atomic chunks[CHUNKS];
atomic_uint weft_descriptor_epoch = 1;

struct weft_descriptor *weft_descriptor_find(int fd)
{
    if (fd < 0 || fd >= WEFT_DESCRIPTORS)
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
        weft_peer_find_pipe(fd, &status);
        return WEFT_KIND_PIPE;
    case 0:
        weft_peer_find_eventfd(fd);
        return WEFT_KIND_OTHER;
    case S_IFSOCK: {
        int type = 0, size = sizeof type;
        weft_raw5(SYS_getsockopt, fd, SOL_SOCKET, SO_TYPE, (long)&type, (long)&size);
        return weft_kind_of_socket(type);
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

void weft_descriptor_forget(int fd)
{
    renew(fd, WEFT_KIND_UNKNOWN, 0, 0);
}

void weft_descriptor_share(int fd)
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

void weft_descriptor_forget_nonblock(struct weft_descriptor *descriptor)
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

void weft_descriptor_note_nonblock(struct weft_descriptor *descriptor, union weft_descriptor_word before,
                                   bool nonblock)
{
    union weft_descriptor_word now = before;
    now.flags = flags_with(before, nonblock);
    now.generation++;
    if (descriptor && !replace(descriptor, before, now))
        weft_descriptor_forget_nonblock(descriptor);
}

unsigned weft_descriptor_from(unsigned fd)
{
    while (fd < WEFT_DESCRIPTORS && !atomic_load(&chunks[fd / CHUNK]))
        fd = (fd | (CHUNK - 1)) + 1;
    return fd;
}
