/* SPDX-License-Identifier: MIT */
/*
 * The program's pointers. The kernel answers a bad one with EFAULT; a hook that reads through it first would
 * crash instead. Most hooks let the kernel make the first attempt; the others ask here, in calls that are
 * about to wait anyway.
 */
#ifndef WEFT_HOOKS_USER_H
#define WEFT_HOOKS_USER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "../core/raw.h"
#include "../core/stack.h"

/* True when all parts lie on the stack that runs, above our frames: where most programs have what they pass.
 * They can be read and written. (Of the stacks of the pool; main's and alternate ones are not known here.) */
static inline bool weft_user_on_stack(const struct iovec *parts, int count)
{
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    for (int i = 0; i < count; i++)
        if ((uintptr_t)parts[i].iov_base < here)
            return false;
    struct weft_stack stack = weft_stack_around((void *)here);
    uintptr_t end = (uintptr_t)stack.low + stack.size;
    for (int i = 0; i < count; i++)
        if ((uintptr_t)parts[i].iov_base >= end || parts[i].iov_len > end - (uintptr_t)parts[i].iov_base)
            return false;
    return true;
}

static inline void weft_user_copy(const struct iovec *to, const struct iovec *from, int count)
{
    for (int i = 0; i < count; i++)
        __builtin_memcpy(to[i].iov_base, from[i].iov_base, to[i].iov_len);
}

/* Copies `count` parts (each at most 1 KiB) from the program's memory; false when one is not readable. */
static inline bool weft_user_read_parts(const struct iovec *to, const struct iovec *from, int count)
{
    long size = 0;
    if (weft_user_on_stack(from, count)) {
        weft_user_copy(to, from, count);
        return true;
    }
    for (int i = 0; i < count; i++)
        size += (long)to[i].iov_len;
    long pid = weft_raw0(SYS_getpid);
    long result = weft_raw6(SYS_process_vm_readv, pid, (long)to, count, (long)from, count, 0);
    if (result == size)
        return true;
    if (result != -38 && result != -1) /* ENOSYS, EPERM: the kernel does not offer it; believe the program */
        return false;
    weft_user_copy(to, from, count);
    return true;
}

/* The same for one part. */
static inline bool weft_user_read(void *to, const void *from, size_t size)
{
    struct iovec local = {to, size}, remote = {(void *)from, size};
    return weft_user_read_parts(&local, &remote, 1);
}

#endif
