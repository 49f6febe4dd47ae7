/* SPDX-License-Identifier: MIT */
/* What the files of the pool of stacks share; the rules stand in stack.c. */
#ifndef WEFT_CORE_STACK_INTERNAL_H
#define WEFT_CORE_STACK_INTERNAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "list.h"
#include "lock.h"
#include "raw.h"
#include "stack.h"

#define PAGE    ((size_t)4096)
#define REGION  ((size_t)1 << 30)
#define MARGIN  ((size_t)1 << 20) /* keeps a slot's top and its neighbour's guard in one page table */
#define LARGEST (REGION / 16)

enum {
    INDICES = 1 << 17, /* of 47 bits of addresses */
    SIZES = 16,
    NONE = UINT16_MAX
};

enum slot_state { FRESH, FREE, LIVE };

struct slot {
    uint32_t guard; /* pages */
    uint16_t next;  /* the free slot below it on the region's stack of free slots */
    uint8_t state;
    uint8_t deferred;     /* times that trimming was put off since it was trimmed */
    uint32_t dirty;       /* free: pages at the top that are not zero. live: the same at the last trim */
    bool altered;         /* must be mapped anew */
    bool guard_protected; /* by PROT_NONE, not by a marker */
};

struct region {
    struct weft_list node; /* in size->open while it has room */
    struct size *size;
    char *base;          /* of slot 0 */
    uint32_t slots;      /* how many there are, */
    uint32_t accessible; /* how many may be touched, */
    uint32_t fresh;      /* how many were ever taken, */
    uint32_t live;       /* and how many are taken now */
    uint16_t free;       /* the slot given back last, or NONE */
    bool retired;        /* only what is live is mapped yet, and it gives nothing more */
    struct slot slot[];  /* of `slots` */
};

struct size {
    size_t bytes; /* of a slot; 0: this entry is unused */
    size_t regions;
    struct weft_list open;
    struct region *empty; /* the one region that is kept although nothing in it is live */
};

extern struct weft_lock weft_stack_lock;
extern struct region *_Atomic weft_stack_regions[INDICES]; /* by address / REGION */
extern struct size weft_stack_sizes[SIZES];
extern size_t weft_stack_warm_pages; /* hint */
extern atomic_size_t weft_stack_deferred_bytes;
extern atomic_uint weft_stack_protections; /* guards by PROT_NONE */

/* All with the lock held, but for weft_stack_region_unmap. */

/* The entry for stacks of this size, if need be that of a size of which none is live. */
struct size *weft_stack_size_find(size_t bytes);

/* An empty region, or NULL. */
struct region *weft_stack_region_create(struct size *size);

/* Takes an empty region out of everything. The caller unmaps it afterwards. */
void weft_stack_region_forget(struct region *region);
void weft_stack_region_unmap(struct region *region);

/* Unmaps a slot of a retired region, which is not live any more, and with the last one forgets the region. */
void weft_stack_region_shrink(struct region *region, struct slot *slot);

static inline long weft_stack_advise(char *start, size_t size, int advice)
{
    return weft_raw3(SYS_madvise, (long)start, (long)size, advice);
}

static inline struct region *region_of(const void *address)
{
    uintptr_t index = (uintptr_t)address / REGION;
    return index < INDICES ? atomic_load_explicit(&weft_stack_regions[index], memory_order_acquire) : NULL;
}

/*
 * From slot to slot: an odd number of pages. Stacks a power of two apart have their hot pages in the same few
 * sets of a TLB that is indexed by low bits of the page number. At 1,000 connections the CPU time of a
 * request was 11.1 us before and 10.3 after, in runs that scatter by 6 to 11 percent; that the TLB is the
 * cause was not shown.
 */
static inline size_t stride_of(size_t bytes)
{
    return bytes | PAGE;
}

static inline char *slot_low(const struct region *region, uint32_t index)
{
    return region->base + index * stride_of(region->size->bytes);
}

static inline struct slot *slot_of(const struct weft_stack *stack)
{
    struct region *region = region_of(stack->low);
    return &region->slot[(size_t)(stack->low - region->base) / stride_of(stack->size)];
}

#endif
