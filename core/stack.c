/* SPDX-License-Identifier: MIT */
/*
 * The pool of stacks.
 *
 * Why a region: a mapping for each stack and one for its guard would stop at vm.max_map_count / 2 threads.
 * A region is two mappings at most (what was used already, what was not yet), and neighbouring regions merge.
 * Why 1 GiB and aligned: the region of an address is found by its upper bits, without a lock.
 *
 * Rules:
 *  1. What a slot records belongs to the holder of the stack while it is live, and to `lock` while it is
 * free. The pool's lists and counts belong to `lock`; the kernel is entered with it held only for regions and
 *     for the access to slots never used before.
 *  2. A free slot is zero but for its `dirty` uppermost pages, which are present and will be cleared when it
 *     is taken: clearing a page costs a twentieth of faulting a new one in.
 *  3. Free slots keep WARM_PAGES dirty pages together. Beyond that they are given back at once. A region that
 *     has no live slot is unmapped (that alone frees page tables) unless it is the only empty one of its
 * size.
 *  4. How deep a thread was cannot be known without asking the kernel, which is the dearest part of its end.
 *     So a stack that is likely to be used again soon is trimmed only at every DEFERRALS-th end, and the
 * sizes of all stacks that were not trimmed sum up to DEFERRED_BYTES at most. (With the size of glibc's own
 * cache, 40 MiB, four creators took turns with more stacks than that, and each end was a madvise, an
 * interrupt of the other CPU, and faults: 1,060 ns for create + join instead of 530.)
 *
 * Regions stand in stack_region.c, guards in stack_guard.c, what checks it all in stack_verify.c.
 */
#include "stack.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "check.h"
#include "hint.h"
#include "stack_internal.h"

#define DEFERRED_BYTES ((size_t)128 << 20)
#define KEPT_PAGES     (WEFT_STACK_LEAST / PAGE) /* dirty ones of a free slot, at most */

enum {
    WARM_PAGES = 4096,
    DEFERRALS = 200,
    CHUNK = 64 /* slots that become accessible at once */
};

__thread uint8_t weft_stack_wanted __attribute__((tls_model("initial-exec")));

struct weft_lock weft_stack_lock;
size_t weft_stack_warm_pages;
atomic_size_t weft_stack_deferred_bytes;

struct weft_stack weft_stack_around(const void *address)
{
    struct region *region = region_of(address);
    if (!region || (const char *)address < region->base)
        return (struct weft_stack){0};
    size_t offset = (size_t)((const char *)address - region->base), stride = stride_of(region->size->bytes);
    size_t index = offset / stride;
    if (index >= region->slots || offset % stride >= region->size->bytes || region->slot[index].state != LIVE)
        return (struct weft_stack){0};
    const struct slot *slot = &region->slot[index];
    return (struct weft_stack){slot_low(region, (uint32_t)index), region->size->bytes, slot->guard * PAGE,
                               slot->altered};
}

/* A slot never used before. More of them become accessible at once the more there are. */
static uint32_t take_fresh(struct region *region)
{
    if (region->fresh == region->accessible) {
        uint32_t more = region->fresh / 2 < 1 ? 1 : region->fresh / 2 > CHUNK ? CHUNK : region->fresh / 2;
        if (more > region->slots - region->fresh)
            more = region->slots - region->fresh;
        if (weft_raw3(SYS_mprotect, (long)slot_low(region, region->fresh),
                      (long)(more * stride_of(region->size->bytes)), PROT_READ | PROT_WRITE) != 0)
            return NONE;
        region->accessible += more;
    }
    return region->fresh++;
}

static uint32_t take_slot(struct region *region)
{
    uint32_t index = region->free;
    if (index != NONE)
        region->free = region->slot[index].next;
    else if ((index = take_fresh(region)) == NONE)
        return NONE;
    struct slot *slot = &region->slot[index];
    weft_hint_set(weft_stack_warm_pages, weft_stack_warm_pages - slot->dirty);
    slot->state = LIVE;
    if (region->size->empty == region)
        region->size->empty = NULL;
    region->live++;
    if (region->free == NONE && region->fresh == region->slots)
        weft_list_remove(&region->node);
    return index;
}

void *weft_stack_take(size_t size)
{
    if (size < WEFT_STACK_LEAST || size > LARGEST || size % PAGE)
        return NULL;
    weft_lock_acquire(&weft_stack_lock);
    struct region *region = NULL;
    uint32_t index = NONE;
    struct size *class = weft_stack_size_find(size);
    if (class)
        region = weft_list_empty(&class->open) ? weft_stack_region_create(class)
                                               : weft_container(class->open.next, struct region, node);
    if (region)
        index = take_slot(region);
    weft_lock_release(&weft_stack_lock);
    if (index == NONE)
        return NULL;
    struct slot *slot = &region->slot[index];
    char *low = slot_low(region, index);
    memset(low + size - slot->dirty * PAGE, 0, slot->dirty * PAGE);
    slot->dirty = 0;
    return low;
}

static void forget_deferral(struct slot *slot, size_t size)
{
    if (slot->deferred)
        atomic_fetch_sub_explicit(&weft_stack_deferred_bytes, size, memory_order_relaxed);
    slot->deferred = 0;
}

/* Gives back all pages but the `kept` uppermost. (The kernel keeps those that are locked.) */
static void release(const struct weft_stack *stack, struct slot *slot, size_t kept)
{
    size_t size = stack->size - stack->guard;
    if (kept * PAGE < size &&
        weft_stack_advise(stack->low + stack->guard, size - kept * PAGE, MADV_DONTNEED) != 0)
        slot->altered = true;
    slot->dirty = (uint32_t)kept;
    forget_deferral(slot, stack->size);
}

/* A fresh mapping in the place of whatever it is now. */
static bool map_anew(const struct weft_stack *stack, struct slot *slot)
{
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK | MAP_FIXED;
    if (weft_raw6(SYS_mmap, (long)stack->low, (long)stack->size, PROT_READ | PROT_WRITE, flags, -1, 0) !=
        (long)stack->low)
        return false;
    weft_stack_advise(stack->low, stack->size, MADV_NOHUGEPAGE);
    if (slot->guard_protected)
        atomic_fetch_sub(&weft_stack_protections, 1);
    forget_deferral(slot, stack->size);
    slot->guard = slot->dirty = 0;
    slot->altered = slot->guard_protected = false;
    return true;
}

void weft_stack_give(const struct weft_stack *stack)
{
    struct region *region = region_of(stack->low), *unmapped = NULL;
    struct slot *slot = slot_of(stack);
    struct size *size = region->size;
    weft_check(slot->state == LIVE);
    if (slot->deferred || slot->dirty == 0 || slot->dirty > KEPT_PAGES)
        release(stack, slot, KEPT_PAGES / 2);
    if (__atomic_load_n(&weft_stack_warm_pages, __ATOMIC_RELAXED) + slot->dirty > WARM_PAGES)
        release(stack, slot, 0);
    if (slot->altered && !map_anew(stack, slot))
        return; /* no memory for a mapping: the stack is lost until its process ends */
    weft_lock_acquire(&weft_stack_lock);
    if (region->retired) {
        weft_stack_region_shrink(region, slot);
        weft_lock_release(&weft_stack_lock);
        return;
    }
    slot->state = FREE;
    slot->next = region->free;
    region->free = (uint16_t)(slot - region->slot);
    weft_hint_add(weft_stack_warm_pages, slot->dirty);
    if (weft_list_empty(&region->node))
        weft_list_append(&size->open, &region->node);
    if (--region->live == 0) {
        unmapped = size->empty;
        size->empty = region;
        if (unmapped)
            weft_stack_region_forget(unmapped);
    }
    weft_lock_release(&weft_stack_lock);
    if (unmapped)
        weft_stack_region_unmap(unmapped);
}

void weft_stack_trim(const struct weft_stack *stack, const void *used)
{
    struct slot *slot = slot_of(stack);
    uintptr_t kept_from = ((uintptr_t)used & ~(PAGE - 1)) - PAGE; /* what ends on this stack needs some yet */
    size_t kept = ((uintptr_t)stack->low + stack->size - kept_from) / PAGE;
    if (kept_from <= (uintptr_t)stack->low + stack->guard)
        return;
    if (slot->deferred) {
        if (slot->deferred < DEFERRALS) {
            slot->deferred++;
            return;
        }
    } else if (atomic_fetch_add_explicit(&weft_stack_deferred_bytes, stack->size, memory_order_relaxed) +
                   stack->size <=
               DEFERRED_BYTES) {
        slot->deferred = 1;
        return;
    } else {
        atomic_fetch_sub_explicit(&weft_stack_deferred_bytes, stack->size, memory_order_relaxed);
    }
    release(stack, slot, kept);
}

void weft_stack_alter(const struct weft_stack *stack)
{
    slot_of(stack)->altered = true;
}

void weft_stacks_lock(void)
{
    weft_lock_acquire(&weft_stack_lock);
}

void weft_stacks_unlock(void)
{
    weft_lock_release(&weft_stack_lock);
}
