/* SPDX-License-Identifier: MIT */
/*
 * The stacks of threads, as glibc asks the kernel for them.
 *
 * pthread_create maps a stack (MAP_STACK, no access), then makes all but a guard accessible; at its end the
 * thread gives the pages back (madvise); and when glibc's cache of stacks exceeds 40 MiB, or cannot serve a
 * size, a stack whose thread id word is clear is unmapped. These four calls are answered from the pool of
 * core/stack.h. glibc notices nothing: what it gets is zeroed memory of the size it asked for, inaccessible
 * where it asked for that. So its descriptors, caches, attributes (pthread_getattr_np, default attributes,
 * guard sizes), its rules for when a stack may be reused, and what it does in the child of a fork (the stacks
 * of the other threads go to its cache, and from there to us) stay what they are natively.
 *
 * Rejected: handing glibc a stack by pthread_attr_setstack. It needs wrappers of the join and detach family
 * in all their versions to learn when a stack is free, pthread_getattr_np would have to be made to lie about
 * guards, and glibc clears the descriptor and allocates the TLS vector anew for each thread, while it keeps
 * both for stacks of its own.
 *
 * Only a mapping made inside of pthread_create comes from the pool; a program that maps stacks itself gets
 * mappings. Whatever else is done to memory of the pool is done by the kernel, from then on all that is done
 * to that stack, and the stack is mapped anew before it is used again. (A Java thread puts a guard of its own
 * at the end of its stack, by MAP_FIXED and mprotect, and takes it away and back in its handler for SIGSEGV.)
 */
#include <sys/mman.h>

#include "../core/stack.h"
#include "call.h"
#include "hooks.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

enum { PAGE = 4096, ACCESS = PROT_READ | PROT_WRITE };

static size_t whole_pages(long size)
{
    return ((size_t)size + PAGE - 1) & ~(size_t)(PAGE - 1);
}

/* What the kernel is to do, if it is to a stack, is beyond the pool. */
static void alter_around(const struct weft_call *call)
{
    struct weft_stack stack = weft_stack_around((void *)call->arguments[0]);
    if (stack.size != 0)
        weft_stack_alter(&stack);
}

WEFT_HOOK(mmap)
{
    const long *a = call->arguments;
    if (a[3] & MAP_FIXED)
        alter_around(call);
    if (!weft_stack_wanted || a[3] != (MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK) || a[0] != 0 ||
        (a[2] != PROT_NONE && a[2] != ACCESS))
        return weft_call_raw(call);
    char *low = weft_stack_take(whole_pages(a[1]));
    if (!low)
        return weft_call_raw(call);
    if (a[2] == ACCESS) {
        struct weft_stack stack = weft_stack_around(low);
        weft_stack_set_guard(&stack, 0);
    }
    return (long)low;
}

WEFT_HOOK(munmap)
{
    char *start = (char *)call->arguments[0];
    struct weft_stack stack = weft_stack_around(start);
    if (stack.size == 0)
        return weft_call_raw(call);
    if (start == stack.low && whole_pages(call->arguments[1]) == stack.size) {
        weft_stack_give(&stack);
        return 0;
    }
    /* A part of it: the place stays ours, or others would map into it. */
    weft_stack_alter(&stack);
    long result = weft_raw3(SYS_mprotect, call->arguments[0], call->arguments[1], PROT_NONE);
    return result ? result : weft_raw3(SYS_madvise, call->arguments[0], call->arguments[1], MADV_DONTNEED);
}

/* Where the range ends, in bytes from the bottom of the stack in which it begins. */
static size_t end_in(const struct weft_stack *stack, const struct weft_call *call)
{
    size_t offset = (size_t)((char *)call->arguments[0] - stack->low);
    return offset + whole_pages(call->arguments[1]);
}

WEFT_HOOK(mprotect)
{
    struct weft_stack stack = weft_stack_around((void *)call->arguments[0]);
    if (stack.size == 0)
        return weft_call_raw(call);
    size_t begin = (size_t)((char *)call->arguments[0] - stack.low), end = end_in(&stack, call);
    /* glibc's own. A program's keeps what is in the pages, which a marker does not. */
    if (weft_stack_wanted && !stack.altered && begin % PAGE == 0 && end > begin && end <= stack.size) {
        /* Access from `begin` on: what is below is the guard, if what is above had access already. */
        if (call->arguments[2] == ACCESS &&
            (end == stack.size || (begin <= stack.guard && end >= stack.guard)))
            return weft_stack_set_guard(&stack, begin);
        if (call->arguments[2] == PROT_NONE && begin == 0 && end <= stack.size - WEFT_STACK_LEAST)
            return weft_stack_set_guard(&stack, end);
    }
    weft_stack_alter(&stack);
    if (call->arguments[2] != PROT_NONE)
        weft_stack_unmark(&stack, stack.low + begin, end - begin);
    return weft_call_raw(call);
}

WEFT_HOOK(mlock)
{
    alter_around(call);
    return weft_call_raw(call);
}

WEFT_HOOK(mlockall)
{
    weft_stacks_retire();
    return weft_call_raw(call);
}

/*
 * For a stack that the pool did not give. The next thread on it touches the same pages again, so some
 * below the stack pointer stay.
 */
static long trim_mapped(struct weft_call *call, uintptr_t here)
{
    enum { KEPT = 16 * 1024 };
    uintptr_t start = (uintptr_t)call->arguments[0];
    size_t size = (size_t)call->arguments[1];
    if (call->arguments[2] != MADV_DONTNEED || start >= here || here - (start + size) >= KEPT)
        return weft_call_raw(call);
    if (size <= KEPT)
        return 0;
    return weft_raw3(SYS_madvise, (long)start, (long)(size - KEPT), MADV_DONTNEED);
}

WEFT_HOOK(madvise)
{
    char *here = __builtin_frame_address(0), *start = (char *)call->arguments[0];
    struct weft_stack stack = weft_stack_around(start);
    if (stack.size == 0)
        return trim_mapped(call, (uintptr_t)here);
    size_t end = end_in(&stack, call);
    switch (call->arguments[2]) {
    case MADV_DONTNEED:
        /* The thread's own stack, all but what it still uses: its end. */
        if (stack.altered || start != stack.low || here < start + end || here >= stack.low + stack.size)
            return weft_call_raw(call);
        weft_stack_trim(&stack, here);
        return 0;
    case MADV_GUARD_INSTALL:
        if (!stack.altered && start == stack.low && end <= stack.size - WEFT_STACK_LEAST)
            return weft_stack_set_guard(&stack, end);
        break;
    case MADV_FREE:
    case MADV_WILLNEED:
    case MADV_COLD:
    case MADV_PAGEOUT:
        return weft_call_raw(call);
    }
    weft_stack_alter(&stack);
    return weft_call_raw(call);
}
