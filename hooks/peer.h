/* SPDX-License-Identifier: MIT */
/*
 * The other end: what is written to one descriptor is read from another of this process.
 *
 * Threads hand work to each other through pipes, socket pairs and eventfds. The kernel's readiness would tell
 * the reader, but only when his processor polls. Who writes knows it before: he readies the reader, who runs
 * when the writer waits in turn, and nobody has polled. All this is a hint. A reader who is not told waits
 * for readiness as always (his processor is another, his number a duplicate); who is told in vain tries, and
 * waits again.
 *
 * That two numbers are ends of one thing is known when a call makes them, or, of a pipe or an eventfd that
 * was made before weft became active, when the kernel is asked what they are; and for as long as both records
 * say so.
 */
#ifndef WEFT_HOOKS_PEER_H
#define WEFT_HOOKS_PEER_H

#include "../core/park.h"
#include "descriptor.h"

/* They are new, and what is written to each is read from the other (a pipe: from the first). An eventfd is
 * its own peer. */
void weft_peers_made(int one, int other);

/* `fd` is an end of a pipe, which `status` describes: it may be the second one that is seen. Or it is
 * something that has no type as a file: it may be an eventfd. */
struct stat;
void weft_peer_find_pipe(int fd, const struct stat *status);
void weft_peer_find_eventfd(int fd);

static inline void weft_peer_forget(struct weft_descriptor *descriptor)
{
    atomic_store_explicit(&descriptor->peer, 0, memory_order_relaxed);
}

/* `result` bytes were written to it, or an error came of it. Readies who waits to read them on the caller's
 * processor. Does not park. Not in core; the record may be NULL. */
void weft_peer_tell(struct weft_descriptor *descriptor);
static inline void weft_peer_written(struct weft_descriptor *descriptor, long result)
{
    if (result > 0 && descriptor && atomic_load_explicit(&descriptor->peer, memory_order_relaxed))
        weft_peer_tell(descriptor);
}

/*
 * `self` is about to wait for `fd`, in core, on `here`. When those who write what it reads do so on another
 * processor again and again, and both have nothing else to do, goes there: each wake-up from afar is the
 * kernel's, and takes as long as natively. Returns the processor that it is on then, in core.
 */
struct processor *weft_peer_follow_slowly(struct coroutine *self, struct processor *here,
                                          struct weft_descriptor *descriptor);
static inline struct processor *weft_peer_follow(struct coroutine *self, struct processor *here, int fd)
{
    struct weft_descriptor *descriptor = weft_descriptor_find(fd);
    if (__builtin_expect(descriptor && atomic_load_explicit(&descriptor->writer, memory_order_relaxed), 0))
        return weft_peer_follow_slowly(self, here, descriptor);
    self->apart = 0;
    return here;
}

#endif
