/* SPDX-License-Identifier: MIT */
/*
 * Raw system calls: the only way in which core/ and hooks/ enter the kernel.
 *
 * They return what the kernel returns (a result, or -errno), never touch errno, never park, and
 * may be used on any stack, in any thread, in signal handlers and while libc's text is not
 * executable.
 */
#ifndef WEFT_CORE_RAW_H
#define WEFT_CORE_RAW_H

#include <sys/syscall.h>

/* Newer than glibc 2.31, whose list of calls is that of Linux 5.4. */
#ifndef SYS_landlock_restrict_self
#define SYS_landlock_restrict_self 446
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441
#endif
#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif
#ifndef SYS_futex_wake
#define SYS_futex_wake    454
#define SYS_futex_wait    455
#define SYS_futex_requeue 456
#endif

static inline __attribute__((always_inline)) long weft_raw6(long number, long a, long b, long c, long d,
                                                            long e, long f)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "0"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory", "cc");
    return result;
}

static inline __attribute__((always_inline)) long weft_raw5(long number, long a, long b, long c, long d,
                                                            long e)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "0"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                     : "rcx", "r11", "memory", "cc");
    return result;
}

static inline __attribute__((always_inline)) long weft_raw4(long number, long a, long b, long c, long d)
{
    register long r10 __asm__("r10") = d;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "0"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
                     : "rcx", "r11", "memory", "cc");
    return result;
}

static inline __attribute__((always_inline)) long weft_raw3(long number, long a, long b, long c)
{
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "0"(number), "D"(a), "S"(b), "d"(c)
                     : "rcx", "r11", "memory", "cc");
    return result;
}

static inline __attribute__((always_inline)) long weft_raw2(long number, long a, long b)
{
    return weft_raw3(number, a, b, 0);
}

static inline __attribute__((always_inline)) long weft_raw1(long number, long a)
{
    return weft_raw3(number, a, 0, 0);
}

static inline __attribute__((always_inline)) long weft_raw0(long number)
{
    return weft_raw3(number, 0, 0, 0);
}

#endif
