/* SPDX-License-Identifier: MIT */
/* What loop.c and loop_found.c share. */
#ifndef WEFT_CORE_LOOP_INTERNAL_H
#define WEFT_CORE_LOOP_INTERNAL_H

#include <ev.h>

#include "loop.h"

enum { CHUNK = 256, CHUNKS = 4096 }; /* descriptors up to 2^20, the kernel's default nr_open */

/* What a loop keeps of a descriptor. */
struct interest {
    ev_io io[2]; /* readable, writable */
    struct weft_list waiters[2];
    uint32_t closings; /* of the last that was watched */
    bool known;        /* initialised */
    bool urgent;       /* io[0] is for urgent data too */
    bool nested;       /* an epoll descriptor, */
    bool silenced;     /* and in the kernel's set, but without events */
    bool refused;      /* by the kernel, so libev takes it for always ready */
    bool written;      /* its reader was woken by who wrote: one event that finds nobody is of that */
};

struct loop {
    struct ev_loop *ev;
    struct processor *processor;
    ev_io wake;
    int wake_fd;
    int epoll_fd; /* libev's */
    bool changed; /* an io was started since the last poll */
    size_t watching;
    int ready;  /* descriptors served by the poll that runs */
    bool plain; /* all that it found can be read or written, and nothing else */
    struct interest *chunks[CHUNKS];
};

/* The one that is in weft_loop_poll on this kernel thread, or was last. */
extern __thread struct loop *weft_loop_polled __attribute__((tls_model("initial-exec")));

/* NULL: nobody has waited for `fd` here. */
static inline struct interest *weft_interest_find(struct loop *loop, int fd)
{
    if (fd < 0 || fd >= CHUNK * CHUNKS || !loop->chunks[fd / CHUNK])
        return NULL;
    struct interest *interest = &loop->chunks[fd / CHUNK][fd % CHUNK];
    return interest->known ? interest : NULL;
}

#endif
