/* SPDX-License-Identifier: MIT */
/*
 * What weft knows of the program's descriptors, by number.
 *
 * The kernel is the authority; this is a cache of what it would answer. Three rules keep it true:
 *  1. A number is forgotten when it is closed or overwritten (all ways to do that are hooked), before and
 * after.
 *  2. What belongs to the open file description (O_NONBLOCK, time-outs) is remembered only while the
 *     description is private: made by a call that we saw, in this process, and neither duplicated, nor
 *     passed on, nor inherited by a fork since. Otherwise the kernel is asked each time it matters.
 *  3. A record is one word, which counts how often it was forgotten. What somebody learns of a number is
 * noted only if the word is still the one that it started from: so what it learnt of a description that is
 * gone is not said of the next one.
 */
#ifndef WEFT_HOOKS_DESCRIPTOR_H
#define WEFT_HOOKS_DESCRIPTOR_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

enum { WEFT_DESCRIPTORS = 1 << 20 /* numbers that have records lie below: the kernel's default nr_open */ };

enum weft_descriptor_kind {
    WEFT_KIND_UNKNOWN,
    WEFT_KIND_BAD,      /* not open */
    WEFT_KIND_DISK,     /* regular files, directories, block devices: poll is meaningless */
    WEFT_KIND_STREAM,   /* sockets */
    WEFT_KIND_DATAGRAM, /* also raw sockets */
    WEFT_KIND_PACKET,   /* SOCK_SEQPACKET */
    WEFT_KIND_PIPE,     /* pipes and FIFOs */
    WEFT_KIND_TERMINAL, /* those that have hung up are others */
    WEFT_KIND_OTHER     /* eventfd, timerfd, inotify, devices, ...: pollable or always ready */
};

enum {
    WEFT_FD_NONBLOCK_KNOWN = 1,
    WEFT_FD_NONBLOCK = 2,  /* while known and private the truth, else what was last seen */
    WEFT_FD_DRAINED = 4,   /* the last read found less than it asked for: wait first next time */
    WEFT_FD_NO_NOWAIT = 8, /* RWF_NOWAIT is not supported for reading */
    WEFT_FD_NO_NOWAIT_WRITE = 16,
    WEFT_FD_RECEIVE_FOREVER = 32, /* SO_RCVTIMEO is known to be 0 */
    WEFT_FD_SEND_FOREVER = 64
};

/* The word of a record, as it is read and as it is noted. */
union weft_descriptor_word {
    uint64_t word;
    struct {
        uint8_t kind;
        uint8_t flags;
        uint16_t generation;    /* of the number: counted up when it is forgotten */
        uint32_t private_epoch; /* private while this equals the current epoch */
    };
};

struct weft_descriptor {
    _Atomic uint64_t word;
    _Atomic uint64_t
        watched_by; /* bit N: the loop of a processor with index N modulo 64 has, or had, a watcher */
    /* Of peer.h: */
    atomic_int peer;   /* the number of the other end plus one; 0: none is known */
    atomic_int writer; /* the index, plus one, of the processor where who waits elsewhere was written to
                          last; 0: none since his last wait */
    /* Of wait.h: */
    atomic_uint holders;   /* calls in progress that must not see the number change */
    atomic_uint observers; /* watchers of others that wait */
    atomic_uint closings;  /* how often the number changed its meaning, counted before and after */
};

static inline union weft_descriptor_word weft_descriptor_look(struct weft_descriptor *descriptor)
{
    return (union weft_descriptor_word){
        .word = descriptor ? atomic_load_explicit(&descriptor->word, memory_order_relaxed) : 0};
}

/* True when the record has one of the flags. */
static inline bool weft_descriptor_has(struct weft_descriptor *descriptor, unsigned flags)
{
    return weft_descriptor_look(descriptor).flags & flags;
}

/* Descriptions whose record says so are private. */
extern atomic_uint weft_descriptor_epoch;

/* True when O_NONBLOCK is known to be set: a call on a socket goes to the kernel as it is. */
static inline bool weft_descriptor_never_waits(struct weft_descriptor *descriptor)
{
    enum { NEVER = WEFT_FD_NONBLOCK_KNOWN | WEFT_FD_NONBLOCK };
    union weft_descriptor_word seen = weft_descriptor_look(descriptor);
    return (seen.flags & NEVER) == NEVER &&
           seen.private_epoch == atomic_load_explicit(&weft_descriptor_epoch, memory_order_relaxed);
}

/* Sets and clears flags. For what is known of the number as it is now; descriptor may be NULL. */
void weft_descriptor_note(struct weft_descriptor *descriptor, unsigned set, unsigned clear);

/* Whether the last read found less than it asked for; true only once. */
static inline bool weft_descriptor_drained(struct weft_descriptor *descriptor)
{
    if (!weft_descriptor_has(descriptor, WEFT_FD_DRAINED))
        return false;
    weft_descriptor_note(descriptor, 0, WEFT_FD_DRAINED);
    return true;
}

/* The record for `fd`, or NULL when the number is too high for one (2^20 and above) or memory is short. */
struct weft_descriptor *weft_descriptor_find(int fd);

/* The kind of what `fd` refers to; asks the kernel the first time. */
enum weft_descriptor_kind weft_descriptor_kind_of(int fd, struct weft_descriptor *descriptor);

/* `type`: SOCK_STREAM, ... */
static inline enum weft_descriptor_kind weft_kind_of_socket(int type)
{
    return type == SOCK_STREAM      ? WEFT_KIND_STREAM
           : type == SOCK_SEQPACKET ? WEFT_KIND_PACKET
                                    : WEFT_KIND_DATAGRAM;
}

static inline bool weft_kind_is_socket(enum weft_descriptor_kind kind)
{
    return kind == WEFT_KIND_STREAM || kind == WEFT_KIND_DATAGRAM || kind == WEFT_KIND_PACKET;
}

/* False when O_NONBLOCK is set: then EAGAIN goes to the program. */
bool weft_descriptor_blocks(int fd, struct weft_descriptor *descriptor);

/* The deadline that SO_RCVTIMEO or SO_SNDTIMEO (`option`) sets for a call that begins now. */
int64_t weft_descriptor_deadline(int fd, struct weft_descriptor *descriptor, int option);

/* `fd` is a new description that only this process has. */
void weft_descriptor_made(int fd, enum weft_descriptor_kind kind, int flags);

/* Nothing is known of the number any more; its description is shared with another number, or may be. */
void weft_descriptor_forget(int fd);
void weft_descriptor_share(int fd);

/* A call has set O_NONBLOCK so. The record says it if nobody has changed it since it was `before` the call:
 * of two that set it at the same time only the kernel knows who was last. */
void weft_descriptor_note_nonblock(struct weft_descriptor *descriptor, union weft_descriptor_word before,
                                   bool nonblock);

/* Somebody has changed O_NONBLOCK. The number's generation tells those who have asked the kernel meanwhile
 * that their answer may be old. */
void weft_descriptor_forget_nonblock(struct weft_descriptor *descriptor);

/* The first number, `fd` or above, that may have a record; WEFT_DESCRIPTORS or more: none. */
unsigned weft_descriptor_from(unsigned fd);

/* True while the description is known to be private. */
bool weft_descriptor_private(struct weft_descriptor *descriptor);

/* From now on any description may be shared with another process: a fork, a descriptor passed on. */
void weft_descriptors_shared(void);

/* In the child of a fork: no call is in progress. */
void weft_descriptors_restart(void);

#endif
