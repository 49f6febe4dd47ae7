/* SPDX-License-Identifier: MIT */
/* See peer.h. */
#include "peer.h"

#include <string.h>
#include <sys/stat.h>

#include "../core/loop.h"
#include "../core/park.h"
#include "../core/raw.h"

enum {
    ENDS = 256,
    FD_BITS = 20,
    KEY_BITS = 64 - FD_BITS,
    ENOUGH = 4 /* waits: a chance meeting is no reason to move */
};

_Static_assert(WEFT_DESCRIPTORS == 1 << FD_BITS, "all numbers that have a record");

static void set(int fd, int peer)
{
    struct weft_descriptor *descriptor = weft_descriptor_find(fd);
    if (descriptor)
        atomic_store_explicit(&descriptor->peer, peer + 1, memory_order_relaxed);
}

void weft_peers_made(int one, int other)
{
    set(one, other);
    set(other, one);
}

/* One of the ends of pipes seen lately, by the pipe: its key above, its number in the low bits. 0: none. */
static _Atomic uint64_t ends[ENDS];

static uint64_t key_of(const struct stat *status)
{
    return ((uint64_t)status->st_ino ^ (uint64_t)status->st_dev << KEY_BITS / 2) << FD_BITS;
}

static bool is_end_of(int fd, uint64_t key)
{
    struct stat status;
    return weft_raw2(SYS_fstat, fd, (long)&status) == 0 && key_of(&status) == key;
}

void weft_peer_find_pipe(int fd, const struct stat *status)
{
    if (fd >= WEFT_DESCRIPTORS)
        return;
    uint64_t key = key_of(status);
    _Atomic uint64_t *end = &ends[(key >> FD_BITS) % ENDS];
    uint64_t seen = atomic_exchange_explicit(end, key | (uint64_t)fd, memory_order_relaxed);
    int other = (int)(seen & ((1 << FD_BITS) - 1));
    if (seen && (seen ^ key) >> FD_BITS == 0 && other != fd && is_end_of(other, key))
        weft_peers_made(fd, other);
}

void weft_peer_find_eventfd(int fd)
{
    static const char eventfd[] = "anon_inode:[eventfd]", directory[] = "/proc/self/fd/";
    char path[sizeof directory + 10], target[sizeof eventfd];
    size_t length = sizeof path;
    path[--length] = '\0';
    for (int rest = fd; rest > 0 || length == sizeof path - 1; rest /= 10)
        path[--length] = (char)('0' + rest % 10);
    length -= sizeof directory - 1;
    memcpy(&path[length], directory, sizeof directory - 1);
    if (weft_raw3(SYS_readlink, (long)&path[length], (long)target, sizeof target) == sizeof eventfd - 1 &&
        memcmp(target, eventfd, sizeof eventfd - 1) == 0)
        weft_peers_made(fd, fd);
}

/* The record that says it is the peer's: a number that means something else by now has another, or none. */
static struct weft_descriptor *peer_of(const struct weft_descriptor *descriptor, int *fd)
{
    *fd = atomic_load_explicit(&descriptor->peer, memory_order_relaxed) - 1;
    struct weft_descriptor *peer = weft_descriptor_find(*fd);
    if (!peer)
        return NULL;
    int back = atomic_load_explicit(&peer->peer, memory_order_relaxed) - 1;
    return weft_descriptor_find(back) == descriptor ? peer : NULL;
}

static bool somebody_waits(struct weft_descriptor *descriptor)
{
    return atomic_load_explicit(&descriptor->holders, memory_order_relaxed) ||
           atomic_load_explicit(&descriptor->observers, memory_order_relaxed);
}

void weft_peer_tell(struct weft_descriptor *descriptor)
{
    int fd;
    struct weft_descriptor *peer = peer_of(descriptor, &fd);
    if (!peer || !somebody_waits(peer))
        return;
    struct coroutine *self = weft_current;
    if (self->told_fd == fd && self->told_at == self->switches)
        return; /* he has not run since, but perhaps elsewhere */
    struct processor *here = weft_core_enter_at_once(self);
    if (!here)
        return;
    if (weft_loop_written(here->loop, fd)) {
        self->told_fd = fd;
        self->told_at = self->switches;
    } else if (atomic_load_explicit(&peer->writer, memory_order_relaxed) != here->index + 1) {
        atomic_store_explicit(&peer->writer, here->index + 1, memory_order_relaxed);
    }
    weft_core_leave(self);
}

/* Both ends may follow at the same time: so only one of them does. */
struct processor *weft_peer_follow_slowly(struct coroutine *self, struct processor *here,
                                          struct weft_descriptor *descriptor)
{
    int writer = atomic_exchange_explicit(&descriptor->writer, 0, memory_order_relaxed);
    if (writer == 0)
        return here; /* another reader was faster */
    struct processor *there = &weft_processors[writer - 1];
    if (++self->apart < ENOUGH || there->index >= here->index || self->bound || weft_processor_busy(here) ||
        weft_processor_busy(there))
        return here;
    self->apart = 0;
    weft_migrate(self, there);
    return self->carrier->processor;
}
