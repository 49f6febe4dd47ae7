/* SPDX-License-Identifier: MIT */
/* The observers of one poll or select. */
#ifndef WEFT_HOOKS_WATCHING_H
#define WEFT_HOOKS_WATCHING_H

#include <stdbool.h>

#include "../core/slab.h"
#include "wait.h"

enum { WEFT_INLINE_WATCHERS = 2 };

/* Few are in place; more, in pages of their own. */
struct weft_watching {
    struct weft_watcher *watchers;
    unsigned count;
    struct weft_watcher inlined[WEFT_INLINE_WATCHERS];
};

/* For `capacity` descriptors. False when there is no memory. */
static inline bool weft_watching_take(struct weft_watching *watching, unsigned capacity)
{
    watching->count = 0;
    watching->watchers = watching->inlined;
    if (capacity > WEFT_INLINE_WATCHERS)
        watching->watchers = weft_reallocate(NULL, (long)(capacity * sizeof *watching->watchers));
    return watching->watchers != NULL;
}

static inline void weft_watching_release(struct weft_watching *watching)
{
    weft_watchers_done(watching->watchers, watching->count);
    if (watching->watchers != watching->inlined)
        weft_reallocate(watching->watchers, 0);
}

static inline void weft_watching_add(struct weft_watching *watching, int fd, int events)
{
    watching->watchers[watching->count++] = (struct weft_watcher){.fd = fd, .events = events, .shared = true};
}

#endif
