/* SPDX-License-Identifier: MIT */
/*
 * Regions of stacks, and the sizes that they are of.
 *
 * Address space is reserved without access and without commitment. Under a limit of the address space
 * (RLIMIT_AS) the pool gives nothing: a program counts there on paying for what it asked for. Neither does it
 * while the process locks all new memory (mlockall): slots in reserve would be present, and count, too.
 */
#include <stddef.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "hint.h"
#include "slab.h"
#include "stack_internal.h"

struct region *_Atomic weft_stack_regions[INDICES];
struct size weft_stack_sizes[SIZES];
static char *lowest; /* of the reserved regions: the next is tried right below */

/* REGION bytes of aligned address space, or NULL. */
static char *reserve(void)
{
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK;
    long place = (long)lowest - (long)REGION, got = -1;
    if (lowest)
        got = weft_raw6(SYS_mmap, place, REGION, PROT_NONE, flags | MAP_FIXED_NOREPLACE, -1, 0);
    if (got != place) {
        if (got > 0 || got < -4095) /* an old kernel took it for a hint */
            weft_raw2(SYS_munmap, got, REGION);
        got = weft_raw6(SYS_mmap, 0, 2 * REGION, PROT_NONE, flags, -1, 0);
        if (got < 0 && got > -4096)
            return NULL;
        place = (long)(((unsigned long)got + REGION - 1) & ~(REGION - 1));
        if (place > got)
            weft_raw2(SYS_munmap, got, place - got);
        weft_raw2(SYS_munmap, place + (long)REGION, got + (long)REGION - place);
    }
    if ((unsigned long)place / REGION >= INDICES) {
        weft_raw2(SYS_munmap, place, REGION);
        return NULL;
    }
    return lowest = (char *)place;
}

static bool address_space_limited(void)
{
    struct rlimit limit = {0};
    weft_raw4(SYS_prlimit64, 0, RLIMIT_AS, 0, (long)&limit);
    return limit.rlim_cur != RLIM_INFINITY;
}

/* The kernel does not give back what is locked. */
static bool memory_locked(void)
{
    void *page = weft_pages_map(PAGE);
    if (!page)
        return true;
    bool locked = weft_stack_advise(page, PAGE, MADV_DONTNEED) != 0;
    weft_pages_unmap(page, PAGE);
    return locked;
}

struct region *weft_stack_region_create(struct size *size)
{
    size_t slots = (REGION - MARGIN) / stride_of(size->bytes);
    if (address_space_limited() || memory_locked())
        return NULL;
    struct region *region = weft_pages_map(sizeof *region + slots * sizeof *region->slot);
    if (!region)
        return NULL;
    char *place = reserve();
    if (!place) {
        weft_pages_unmap(region, sizeof *region + slots * sizeof *region->slot);
        return NULL;
    }
    weft_stack_advise(place, REGION, MADV_NOHUGEPAGE);
    region->size = size;
    region->base = place + MARGIN;
    region->slots = (uint32_t)slots;
    region->free = NONE;
    weft_list_append(&size->open, &region->node);
    size->regions++;
    size->empty = region;
    atomic_store_explicit(&weft_stack_regions[(uintptr_t)place / REGION], region, memory_order_release);
    return region;
}

void weft_stack_region_forget(struct region *region)
{
    for (uint32_t i = 0; i < region->fresh; i++) {
        weft_hint_set(weft_stack_warm_pages, weft_stack_warm_pages - region->slot[i].dirty);
        if (region->slot[i].guard_protected)
            atomic_fetch_sub(&weft_stack_protections, 1);
    }
    weft_list_remove(&region->node);
    region->size->regions--;
    atomic_store(&weft_stack_regions[(uintptr_t)region->base / REGION], NULL);
}

void weft_stack_region_unmap(struct region *region)
{
    weft_raw2(SYS_munmap, (long)(region->base - MARGIN), REGION);
    weft_pages_unmap(region, sizeof *region + region->slots * sizeof *region->slot);
}

void weft_stack_region_shrink(struct region *region, struct slot *slot)
{
    weft_raw2(SYS_munmap, (long)slot_low(region, (uint32_t)(slot - region->slot)), (long)region->size->bytes);
    slot->state = FREE;
    slot->dirty = 0;
    if (--region->live > 0)
        return;
    weft_stack_region_forget(region);
    weft_pages_unmap(region, sizeof *region + region->slots * sizeof *region->slot);
}

/* With the lock held. */
static void retire(struct region *region)
{
    char *unused = region->base - MARGIN, *end = unused + REGION;
    if (region->live == 0) {
        region->size->empty = NULL;
        weft_stack_region_forget(region);
        weft_stack_region_unmap(region);
        return;
    }
    region->retired = true;
    weft_list_remove(&region->node);
    for (uint32_t i = 0; i < region->fresh; i++) {
        struct slot *slot = &region->slot[i];
        char *low = slot_low(region, i);
        if (slot->state == LIVE) {
            weft_raw2(SYS_munmap, (long)unused, low - unused);
            unused = low + region->size->bytes;
        } else {
            weft_hint_set(weft_stack_warm_pages, weft_stack_warm_pages - slot->dirty);
            slot->dirty = 0;
        }
    }
    weft_raw2(SYS_munmap, (long)unused, end - unused);
}

void weft_stacks_retire(void)
{
    weft_lock_acquire(&weft_stack_lock);
    for (size_t i = 0; i < INDICES; i++) {
        struct region *region = atomic_load_explicit(&weft_stack_regions[i], memory_order_relaxed);
        if (region && !region->retired)
            retire(region);
    }
    weft_lock_release(&weft_stack_lock);
}

struct size *weft_stack_size_find(size_t bytes)
{
    struct size *unused = NULL, *idle = NULL;
    for (struct size *size = weft_stack_sizes; size < weft_stack_sizes + SIZES; size++) {
        if (size->bytes == bytes)
            return size;
        if (size->regions == 0)
            unused = size;
        else if (size->regions == 1 && size->empty)
            idle = size;
    }
    if (!unused && idle) {
        struct region *region = idle->empty;
        weft_stack_region_forget(region);
        weft_stack_region_unmap(region);
        unused = idle;
    }
    if (unused) {
        *unused = (struct size){.bytes = bytes};
        weft_list_init(&unused->open);
    }
    return unused;
}
