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
 * sizes of all stacks that were not trimmed sum up to DEFERRED_BYTES at most: the size of glibc's own cache.
 *  5. Guards are markers in page tables (MADV_GUARD_INSTALL, Linux 6.13), which cost no mapping. The page
 *     table is the one that serves the top of the slot below. Where the kernel has none, guards are PROT_NONE
 *     for as many stacks as leave half of vm.max_map_count alone; stacks beyond that have no guard.
 *
 * Address space is reserved without access and without commitment. Under a limit of the address space
 * (RLIMIT_AS) the pool gives nothing: a program counts there on paying for what it asked for.
 */
#include "stack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "check.h"
#include "list.h"
#include "lock.h"
#include "raw.h"
#include "slab.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#define MADV_GUARD_REMOVE  103
#endif

#define PAGE           ((size_t)4096)
#define REGION         ((size_t)1 << 30)
#define MARGIN         ((size_t)1 << 20) /* keeps a slot's top and its neighbour's guard in one page table */
#define LARGEST        (REGION / 16)
#define DEFERRED_BYTES ((size_t)40 << 20)
#define KEPT_PAGES     (WEFT_STACK_LEAST / PAGE) /* dirty ones of a free slot, at most */

enum {
    INDICES = 1 << 17, /* of 47 bits of addresses */
    SIZES = 16,
    WARM_PAGES = 4096,
    DEFERRALS = 32,
    CHUNK = 64, /* slots that become accessible at once */
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
    struct slot slot[];  /* of `slots` */
};

struct size {
    size_t bytes; /* of a slot; 0: this entry is unused */
    size_t regions;
    struct weft_list open;
    struct region *empty; /* the one region that is kept although nothing in it is live */
};

__thread uint8_t weft_stack_wanted __attribute__((tls_model("initial-exec")));

static struct weft_lock lock;
static struct region *_Atomic regions[INDICES]; /* by address / REGION */
static struct size sizes[SIZES];
static size_t warm_pages;
static char *lowest; /* of the reserved regions: the next is tried right below */
static atomic_size_t deferred_bytes;
static atomic_uint protections, protection_limit; /* guards by PROT_NONE; 0: not read yet */

static long advise(char *start, size_t size, int advice)
{
    return weft_raw3(SYS_madvise, (long)start, (long)size, advice);
}

static struct region *region_of(const void *address)
{
    uintptr_t index = (uintptr_t)address / REGION;
    return index < INDICES ? atomic_load_explicit(&regions[index], memory_order_acquire) : NULL;
}

/*
 * From slot to slot: an odd number of pages. Stacks a power of two apart have their hot pages in the same few
 * sets of a TLB that is indexed by low bits of the page number. At 1,000 connections the CPU time of a
 * request was 11.1 us before and 10.3 after, in runs that scatter by 6 to 11 percent; that the TLB is the
 * cause was not shown.
 */
static size_t stride_of(size_t bytes)
{
    return bytes | PAGE;
}

static char *slot_low(const struct region *region, uint32_t index)
{
    return region->base + index * stride_of(region->size->bytes);
}

static struct slot *slot_of(const struct weft_stack *stack)
{
    struct region *region = region_of(stack->low);
    return &region->slot[(size_t)(stack->low - region->base) / stride_of(stack->size)];
}

struct weft_stack weft_stack_around(const void *address)
{
    struct region *region = region_of(address);
    if (!region || (const char *)address < region->base)
        return (struct weft_stack){0};
    size_t offset = (size_t)((const char *)address - region->base), stride = stride_of(region->size->bytes);
    size_t index = offset / stride;
    if (index >= region->slots || offset % stride >= region->size->bytes || region->slot[index].state != LIVE)
        return (struct weft_stack){0};
    return (struct weft_stack){slot_low(region, (uint32_t)index), region->size->bytes,
                               region->slot[index].guard * PAGE};
}

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

static struct region *region_create(struct size *size)
{
    size_t slots = (REGION - MARGIN) / stride_of(size->bytes);
    if (address_space_limited())
        return NULL;
    struct region *region = weft_pages_map(sizeof *region + slots * sizeof *region->slot);
    if (!region)
        return NULL;
    char *place = reserve();
    if (!place) {
        weft_pages_unmap(region, sizeof *region + slots * sizeof *region->slot);
        return NULL;
    }
    advise(place, REGION, MADV_NOHUGEPAGE);
    region->size = size;
    region->base = place + MARGIN;
    region->slots = (uint32_t)slots;
    region->free = NONE;
    weft_list_append(&size->open, &region->node);
    size->regions++;
    size->empty = region;
    atomic_store_explicit(&regions[(uintptr_t)place / REGION], region, memory_order_release);
    return region;
}

/* With the lock held: takes an empty region out of everything. The caller unmaps it afterwards. */
static void region_forget(struct region *region)
{
    for (uint32_t i = 0; i < region->fresh; i++) {
        warm_pages -= region->slot[i].dirty;
        if (region->slot[i].guard_protected)
            atomic_fetch_sub(&protections, 1);
    }
    weft_list_remove(&region->node);
    region->size->regions--;
    atomic_store(&regions[(uintptr_t)region->base / REGION], NULL);
}

static void region_unmap(struct region *region)
{
    weft_raw2(SYS_munmap, (long)(region->base - MARGIN), REGION);
    weft_pages_unmap(region, sizeof *region + region->slots * sizeof *region->slot);
}

/* With the lock held: the entry for stacks of this size, if need be that of a size of which none is live. */
static struct size *size_find(size_t bytes)
{
    struct size *unused = NULL, *idle = NULL;
    for (struct size *size = sizes; size < sizes + SIZES; size++) {
        if (size->bytes == bytes)
            return size;
        if (size->regions == 0)
            unused = size;
        else if (size->regions == 1 && size->empty)
            idle = size;
    }
    if (!unused && idle) {
        struct region *region = idle->empty;
        region_forget(region);
        region_unmap(region);
        unused = idle;
    }
    if (unused) {
        *unused = (struct size){.bytes = bytes};
        weft_list_init(&unused->open);
    }
    return unused;
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
    warm_pages -= slot->dirty;
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
    weft_lock_acquire(&lock);
    struct region *region = NULL;
    uint32_t index = NONE;
    struct size *class = size_find(size);
    if (class)
        region = weft_list_empty(&class->open) ? region_create(class)
                                               : weft_container(class->open.next, struct region, node);
    if (region)
        index = take_slot(region);
    weft_lock_release(&lock);
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
        atomic_fetch_sub_explicit(&deferred_bytes, size, memory_order_relaxed);
    slot->deferred = 0;
}

/* Gives back all pages but the `kept` uppermost. */
static void release(const struct weft_stack *stack, struct slot *slot, size_t kept)
{
    size_t size = stack->size - stack->guard;
    if (kept * PAGE < size)
        advise(stack->low + stack->guard, size - kept * PAGE, MADV_DONTNEED);
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
    advise(stack->low, stack->size, MADV_NOHUGEPAGE);
    if (slot->guard_protected)
        atomic_fetch_sub(&protections, 1);
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
    if (slot->altered && !map_anew(stack, slot))
        return; /* no memory for a mapping: the stack is lost until its process ends */
    if (slot->deferred || slot->dirty == 0 || slot->dirty > KEPT_PAGES)
        release(stack, slot, KEPT_PAGES / 2);
    if (__atomic_load_n(&warm_pages, __ATOMIC_RELAXED) + slot->dirty > WARM_PAGES)
        release(stack, slot, 0);
    weft_lock_acquire(&lock);
    slot->state = FREE;
    slot->next = region->free;
    region->free = (uint16_t)(slot - region->slot);
    warm_pages += slot->dirty;
    if (weft_list_empty(&region->node))
        weft_list_append(&size->open, &region->node);
    if (--region->live == 0) {
        unmapped = size->empty;
        size->empty = region;
        if (unmapped)
            region_forget(unmapped);
    }
    weft_lock_release(&lock);
    if (unmapped)
        region_unmap(unmapped);
}

/* The limit of guards by PROT_NONE: each splits a mapping and so adds two. */
static unsigned read_protection_limit(void)
{
    char text[32] = {0};
    unsigned maps = 0;
    long fd = weft_raw4(SYS_openat, AT_FDCWD, (long)"/proc/sys/vm/max_map_count", O_RDONLY | O_CLOEXEC, 0);
    if (fd >= 0) {
        weft_raw3(SYS_read, fd, (long)text, sizeof text - 1);
        weft_raw1(SYS_close, fd);
    }
    for (const char *digit = text; *digit >= '0' && *digit <= '9'; digit++)
        maps = maps * 10 + (unsigned)(*digit - '0');
    return maps ? maps / 4 : 65530 / 4;
}

static bool protection_allowed(void)
{
    unsigned limit = atomic_load_explicit(&protection_limit, memory_order_relaxed);
    if (!limit)
        atomic_store_explicit(&protection_limit, limit = read_protection_limit(), memory_order_relaxed);
    if (atomic_fetch_add(&protections, 1) < limit)
        return true;
    atomic_fetch_sub(&protections, 1);
    return false;
}

static long protect(char *start, size_t size, int protection)
{
    return weft_raw3(SYS_mprotect, (long)start, (long)size, protection);
}

static long guard_grow(const struct weft_stack *stack, struct slot *slot, size_t guard)
{
    if (!slot->guard_protected && advise(stack->low, guard, MADV_GUARD_INSTALL) == 0)
        return 0;
    if (!slot->guard_protected && !protection_allowed())
        return 0;
    long result = protect(stack->low, guard, PROT_NONE);
    if (result == 0)
        slot->guard_protected = true;
    else if (!slot->guard_protected)
        atomic_fetch_sub(&protections, 1);
    return result;
}

static long guard_shrink(const struct weft_stack *stack, struct slot *slot, size_t guard)
{
    char *start = stack->low + guard;
    size_t size = stack->guard - guard;
    if (!slot->guard_protected) {
        advise(start, size,
               MADV_GUARD_REMOVE); /* fails where there is no guard: beyond the limit of rule 5 */
        return 0;
    }
    long result = protect(start, size, PROT_READ | PROT_WRITE);
    if (result == 0 && guard == 0) {
        slot->guard_protected = false;
        atomic_fetch_sub(&protections, 1);
    }
    return result;
}

long weft_stack_set_guard(const struct weft_stack *stack, size_t guard)
{
    struct slot *slot = slot_of(stack);
    if (guard == stack->guard)
        return 0;
    long result = guard > stack->guard ? guard_grow(stack, slot, guard) : guard_shrink(stack, slot, guard);
    if (result == 0)
        slot->guard = (uint32_t)(guard / PAGE);
    return result;
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
    } else if (atomic_fetch_add_explicit(&deferred_bytes, stack->size, memory_order_relaxed) + stack->size <=
               DEFERRED_BYTES) {
        slot->deferred = 1;
        return;
    } else {
        atomic_fetch_sub_explicit(&deferred_bytes, stack->size, memory_order_relaxed);
    }
    release(stack, slot, kept);
}

void weft_stack_alter(const struct weft_stack *stack)
{
    slot_of(stack)->altered = true;
}

void weft_stacks_lock(void)
{
    weft_lock_acquire(&lock);
}

void weft_stacks_unlock(void)
{
    weft_lock_release(&lock);
}

struct weft_stack_counts weft_stacks_count(void)
{
    struct weft_stack_counts counts = {.warm_pages = warm_pages,
                                       .deferred = atomic_load(&deferred_bytes),
                                       .protections = atomic_load(&protections)};
    for (size_t i = 0; i < INDICES; i++) {
        struct region *region = atomic_load(&regions[i]);
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
        struct region *region = atomic_load(&regions[i]);
        if (!region)
            continue;
        found++;
        weft_check((uintptr_t)region->base / REGION == i);
        region_verify(region, &warm, &deferred, &protected);
    }
    for (int i = 0; i < SIZES; i++)
        counted += sizes[i].regions;
    weft_check(found == counted && warm == warm_pages);
    weft_check(deferred == deferred_bytes && protected == protections);
}
