/* SPDX-License-Identifier: MIT */
#include "slab.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "raw.h"

enum { MAPPING = 256 * 1024 };

void *weft_pages_map(size_t size)
{
    long result =
        weft_raw6(SYS_mmap, 0, (long)size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return result < 0 && result > -4096 ? NULL : (void *)result;
}

void weft_pages_unmap(void *pages, size_t size)
{
    weft_raw2(SYS_munmap, (long)pages, (long)size);
}

static void **free_link(struct weft_slab *slab, void *object)
{
    return (void **)((char *)object + slab->object_size) - 1;
}

/* All slabs that were ever used, for weft_slabs_restart. */
static struct weft_slab *_Atomic all;

static void enlist(struct weft_slab *slab)
{
    if (atomic_exchange(&slab->known, true))
        return;
    struct weft_slab *first = atomic_load(&all);
    do
        atomic_store(&slab->next, first);
    while (!atomic_compare_exchange_weak(&all, &first, slab));
}

void weft_slabs_restart(void)
{
    for (struct weft_slab *slab = atomic_load(&all); slab; slab = atomic_load(&slab->next))
        slab->lock = (struct weft_lock){0};
}

void *weft_slab_take(struct weft_slab *slab)
{
    if (!atomic_load_explicit(&slab->known, memory_order_relaxed))
        enlist(slab);
    weft_lock_acquire(&slab->lock);
    void *object = slab->free;
    if (object) {
        slab->free = *free_link(slab, object);
    } else {
        if ((size_t)(slab->end - slab->fresh) < slab->object_size) {
            char *pages = weft_pages_map(MAPPING);
            if (!pages)
                goto out;
            slab->fresh = pages;
            slab->end = pages + MAPPING;
        }
        object = slab->fresh;
        slab->fresh += slab->object_size;
    }
    slab->live++;
out:
    weft_lock_release(&slab->lock);
    return object;
}

void weft_slab_give(struct weft_slab *slab, void *object)
{
    weft_lock_acquire(&slab->lock);
    *free_link(slab, object) = slab->free;
    slab->free = object;
    slab->live--;
    weft_lock_release(&slab->lock);
}

/* Blocks for libev: a power of two with a header; small ones from slabs, large ones mapped. */
struct block {
    size_t size; /* of the whole block, header included */
    size_t pad;
};

enum { SMALLEST = 6, LARGEST = 16 }; /* log2 of slab block sizes */

#define BLOCKS(order) [order] = {.object_size = (size_t)1 << (order)}
static struct weft_slab blocks[LARGEST + 1] = {BLOCKS(6),  BLOCKS(7),  BLOCKS(8),  BLOCKS(9),
                                               BLOCKS(10), BLOCKS(11), BLOCKS(12), BLOCKS(13),
                                               BLOCKS(14), BLOCKS(15), BLOCKS(16)};
_Static_assert(SMALLEST == 6 && LARGEST == 16, "blocks[]");

static struct block *block_take(size_t size)
{
    int order = SMALLEST;
    while (((size_t)1 << order) < size)
        order++;
    struct block *block;
    if (order <= LARGEST)
        block = weft_slab_take(&blocks[order]);
    else
        block = weft_pages_map((size_t)1 << order);
    if (block)
        block->size = (size_t)1 << order;
    return block;
}

static void block_give(struct block *block)
{
    int order = __builtin_ctzl(block->size);
    if (order <= LARGEST)
        weft_slab_give(&blocks[order], block);
    else
        weft_pages_unmap(block, block->size);
}

void *weft_reallocate(void *memory, long size)
{
    struct block *old = memory ? (struct block *)memory - 1 : NULL;
    if (size == 0) {
        if (old)
            block_give(old);
        return NULL;
    }
    size_t whole = (size_t)size + sizeof(struct block);
    if (old && whole <= old->size)
        return memory;
    struct block *block = block_take(whole);
    if (!block)
        return NULL;
    if (old) {
        memcpy(block + 1, old + 1, old->size - sizeof *old);
        block_give(old);
    }
    return block + 1;
}
