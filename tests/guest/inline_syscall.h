// SPDX-License-Identifier: MIT
// A system call by an instruction of the program's own, outside of libc. The result, or -errno.
#ifndef INLINE_SYSCALL_H
#define INLINE_SYSCALL_H

#include <sys/syscall.h>

static inline long inline_syscall(long number, long first, long second, long third, long fourth)
{
    register long r10 __asm__("r10") = fourth;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(first), "S"(second), "d"(third), "r"(r10)
                     : "rcx", "r11", "memory");
    return result;
}

#endif
