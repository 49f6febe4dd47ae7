/* SPDX-License-Identifier: MIT */
/*
 * Waiting for descriptors.
 *
 * Natively a thread that is blocked in a call on a descriptor holds on to the open file description: another
 * thread may close the number or give it another meaning, and the call goes on with the old one. So the
 * waiter's number may change while it waits: to that of a duplicate that is made just then, and
 * closed when its last user is done.
 *
 * Between its waits a call uses the number itself. So from its first wait on, or earlier when it says so, it
 * holds the number: who is about to close it lets others run until each such call waits (then it gets the
 * duplicate) or is done. That is soon, for between waits nothing blocks, but for page faults, and a call that
 * it leaves to the kernel, before which it lets go.
 */
#ifndef WEFT_HOOKS_WAIT_H
#define WEFT_HOOKS_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#include "../core/loop.h"
#include "../core/park.h"

/* The descriptor of a call in progress. */
struct weft_target {
    int fd;       /* to be used from now on */
    int original; /* as the program passed it */
    bool held;    /* the original is, or was until it got a successor */
};

static inline struct weft_target weft_target_of(int fd)
{
    return (struct weft_target){fd, fd, false};
}

/* For a call of several steps, before the first one that others can see: a piece of what is written whole. */
void weft_target_hold(struct weft_target *target);

/* The call is the kernel's from here on. */
void weft_target_let_go(struct weft_target *target);

/*
 * Parks until the target is ready for `events` (WEFT_READABLE, WEFT_WRITABLE), at most until the deadline.
 * Returns 0 (perhaps spuriously: the caller tries its call again), -ETIMEDOUT, -EINTR, -EBADF, -ENOMEM.
 */
long weft_wait_target(struct weft_target *target, int events, enum weft_reason reason, int64_t deadline);

/* Ends the use of a target; `result` is passed through. */
long weft_target_done(struct weft_target *target, long result);

/* Parks until one of `count` watchers fires (fd, events and shared are set by the caller). Results as above.
 * Observers may then have moved to another number; they may wait again, and are done in the end. */
long weft_wait_watchers(struct weft_watcher *watchers, unsigned count, enum weft_reason reason,
                        int64_t deadline);
void weft_watchers_done(const struct weft_watcher *watchers, unsigned count);

/* The number is about to be closed or overwritten. Costs next to nothing when nobody waits for it. May yield.
 * Not in core. */
void weft_wait_leave_number(int fd);

/* It was, just now: who has begun to wait for it meanwhile may have been too early. */
void weft_wait_note_closing(int fd);

/* The reading side of a local stream was shut down. Who waits to write in a loop is to be woken after this.
 */
void weft_wait_note_local_shutdown(void);

/* In the child of a fork: nobody holds a lock of this file. */
void weft_waits_restart(void);

#endif
