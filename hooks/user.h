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

/* Copies `size` bytes (at most 1 KiB) from the program's memory; false when they are not readable. */
static inline bool weft_user_read(void *to, const void *from, size_t size)
{
    struct iovec local = {to, size}, remote = {(void *)from, size};
    long pid = weft_raw0(SYS_getpid);
    long result = weft_raw6(SYS_process_vm_readv, pid, (long)&local, 1, (long)&remote, 1, 0);
    if (result == (long)size)
        return true;
    if (result != -38 && result != -1) /* ENOSYS, EPERM: the kernel does not offer it; believe the program */
        return false;
    __builtin_memcpy(to, from, size);
    return true;
}

#endif
