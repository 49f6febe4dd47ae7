/* SPDX-License-Identifier: MIT */
/* The pool of stacks counts and checks itself. */
#include "check.h"
#include "stack_internal.h"

struct weft_stack_counts weft_stacks_count(void)
{
    struct weft_stack_counts counts = {.warm_pages = weft_stack_warm_pages,
                                       .deferred = atomic_load(&weft_stack_deferred_bytes),
                                       .protections = atomic_load(&weft_stack_protections)};
    for (size_t i = 0; i < INDICES; i++) {
        struct region *region = atomic_load(&weft_stack_regions[i]);
        counts.regions += region != NULL;
        counts.live += region ? region->live : 0;
    }
    return counts;
}

static void region_verify(const struct region *region, size_t *warm, size_t *deferred, size_t *protected)
{
    uint32_t live = 0, free = 0;
    for (uint32_t i = 0; i < region->slots; i++) {
        const struct slot *slot = &region->slot[i];
        weft_check((slot->state == FRESH) == (i >= region->fresh));
        live += slot->state == LIVE;
        *warm += slot->state == FREE ? slot->dirty : 0;
        *deferred += slot->deferred ? region->size->bytes : 0;
        *protected += slot->guard_protected;
    }
    if (region->retired) {
        weft_check(live == region->live && live > 0 && weft_list_empty(&region->node));
        return;
    }
    for (uint16_t i = region->free; i != NONE; i = region->slot[i].next, free++)
        weft_check(i < region->fresh && region->slot[i].state == FREE && free < region->slots);
    weft_check(live == region->live && live + free == region->fresh);
    weft_check(region->fresh <= region->accessible && region->accessible <= region->slots);
    weft_check(weft_list_empty(&region->node) == (live == region->slots));
    weft_check((live == 0) == (region->size->empty == region));
}

void weft_stacks_verify(void)
{
    size_t found = 0, warm = 0, deferred = 0, protected = 0, counted = 0;
    for (size_t i = 0; i < INDICES; i++) {
        struct region *region = atomic_load(&weft_stack_regions[i]);
        if (!region)
            continue;
        found++;
        weft_check((uintptr_t)region->base / REGION == i);
        region_verify(region, &warm, &deferred, &protected);
    }
    for (int i = 0; i < SIZES; i++)
        counted += weft_stack_sizes[i].regions;
    weft_check(found == counted && warm == weft_stack_warm_pages);
    weft_check(deferred == weft_stack_deferred_bytes && protected == weft_stack_protections);
}
