/* SPDX-License-Identifier: MIT */
/*
 * Guards of stacks: markers in page tables (MADV_GUARD_INSTALL, Linux 6.13), which cost no mapping. The page
 * table is the one that serves the top of the slot below. Where the kernel has none, guards are PROT_NONE for
 * as many stacks as leave half of vm.max_map_count alone; stacks beyond that have no guard.
 */
#include <fcntl.h>
#include <sys/mman.h>

#include "check.h"
#include "stack_internal.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#define MADV_GUARD_REMOVE  103
#endif

atomic_uint weft_stack_protections;
static atomic_uint protection_limit; /* 0: not read yet */

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
    if (atomic_fetch_add(&weft_stack_protections, 1) < limit)
        return true;
    atomic_fetch_sub(&weft_stack_protections, 1);
    return false;
}

static long protect(char *start, size_t size, int protection)
{
    return weft_raw3(SYS_mprotect, (long)start, (long)size, protection);
}

static long guard_grow(const struct weft_stack *stack, struct slot *slot, size_t guard)
{
    if (!slot->guard_protected && weft_stack_advise(stack->low, guard, MADV_GUARD_INSTALL) == 0)
        return 0;
    if (!slot->guard_protected && !protection_allowed())
        return 0;
    long result = protect(stack->low, guard, PROT_NONE);
    if (result == 0)
        slot->guard_protected = true;
    else if (!slot->guard_protected)
        atomic_fetch_sub(&weft_stack_protections, 1);
    return result;
}

static long guard_shrink(const struct weft_stack *stack, struct slot *slot, size_t guard)
{
    char *start = stack->low + guard;
    size_t size = stack->guard - guard;
    if (!slot->guard_protected) {
        weft_stack_advise(start, size,
                          MADV_GUARD_REMOVE); /* fails where there is no guard: beyond the limit */
        return 0;
    }
    long result = protect(start, size, PROT_READ | PROT_WRITE);
    if (result == 0 && guard == 0) {
        slot->guard_protected = false;
        atomic_fetch_sub(&weft_stack_protections, 1);
    }
    return result;
}

long weft_stack_set_guard(const struct weft_stack *stack, size_t guard)
{
    struct slot *slot = slot_of(stack);
    weft_check(!slot->altered);
    if (guard == stack->guard)
        return 0;
    long result = guard > stack->guard ? guard_grow(stack, slot, guard) : guard_shrink(stack, slot, guard);
    if (result == 0)
        slot->guard = (uint32_t)(guard / PAGE);
    return result;
}

void weft_stack_unmark(const struct weft_stack *stack, char *start, size_t size)
{
    char *end = start + size, *guard_end = stack->low + stack->guard;
    if (end > guard_end)
        end = guard_end;
    if (!slot_of(stack)->guard_protected && start < end)
        weft_stack_advise(start, (size_t)(end - start), MADV_GUARD_REMOVE);
}
