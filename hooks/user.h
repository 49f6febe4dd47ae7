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
#include <sys/uio.h>

#include "../core/raw.h"

/* Copies `count` parts (each at most 1 KiB) from the program's memory; false when one is not readable. */
static inline bool weft_user_read_parts(const struct iovec *to, const struct iovec *from, int count)
{
    long pid = weft_raw0(SYS_getpid), size = 0;
    for (int i = 0; i < count; i++)
        size += (long)to[i].iov_len;
    long result = weft_raw6(SYS_process_vm_readv, pid, (long)to, count, (long)from, count, 0);
    if (result == size)
        return true;
    if (result != -38 && result != -1) /* ENOSYS, EPERM: the kernel does not offer it; believe the program */
        return false;
    for (int i = 0; i < count; i++)
        __builtin_memcpy(to[i].iov_base, from[i].iov_base, to[i].iov_len);
    return true;
}

/* The same for one part. */
static inline bool weft_user_read(void *to, const void *from, size_t size)
{
    struct iovec local = {to, size}, remote = {(void *)from, size};
    return weft_user_read_parts(&local, &remote, 1);
}

#endif
