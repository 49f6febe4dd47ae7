/* SPDX-License-Identifier: MIT */
/*
 * Memory without malloc: a hook can run inside malloc, holding its locks.
 *
 * A slab hands out zeroed-on-first-use objects of one size, carved from mappings of its own that are
 * never unmapped: a stale pointer to a freed object still points to an object of that type.
 */
#ifndef WEFT_CORE_SLAB_H
#define WEFT_CORE_SLAB_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "lock.h"

/* In cache lines of its own, as a weft_busy_lock. */
struct weft_slab {
    _Alignas(64) struct weft_slab *_Atomic next; /* of those ever used; set once */
    atomic_bool known;
    struct weft_lock lock;
    size_t object_size; /* bytes, constant; at least a pointer */
    void *free;         /* linked through the objects' last word */
    char *fresh, *end;  /* what is left of the newest mapping */
    size_t live;        /* objects handed out */
};

#define WEFT_SLAB_OF(type)                               \
    {                                                    \
        .object_size = (sizeof(type) + 15) & ~(size_t)15 \
    }

/* Returns an object, or NULL when the kernel has no memory. A reused object holds what it held when it
 * was freed but for its last word. Never parks. */
void *weft_slab_take(struct weft_slab *slab);
void weft_slab_give(struct weft_slab *slab, void *object);

/* In the child of a fork: nobody holds the lock of any slab. */
void weft_slabs_restart(void);

/* `size` bytes of zeroed memory in whole pages, or NULL. */
void *weft_pages_map(size_t size);
void weft_pages_unmap(void *pages, size_t size);

/* realloc for libev (ev_set_allocator): size 0 frees. */
void *weft_reallocate(void *memory, long size);

#endif
