// SPDX-License-Identifier: MIT
// The futex calls of Linux 5.16 and 6.7, which older headers do not know.
#ifndef FUTEX2_H
#define FUTEX2_H

#include <linux/futex.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include "guest.h"

enum {
    CALL_WAITV = 449,
    CALL_WAKE = 454,
    CALL_WAIT = 455,
    CALL_REQUEUE = 456,
    U32 = 2,
    U32_PRIVATE = U32 | FUTEX_PRIVATE_FLAG
};

struct waitv {
    uint64_t value;
    uint64_t address;
    uint32_t flags;
    uint32_t reserved;
};

static inline struct waitv waitv_of(uint32_t *word, uint32_t value, uint32_t flags)
{
    return (struct waitv){value, (uintptr_t)word, flags, 0};
}

static inline void skip_without_futex2(void)
{
    for (int call = CALL_WAITV; call <= CALL_REQUEUE; call = call == CALL_WAITV ? CALL_WAKE : call + 1)
        if (syscall(call, NULL, -1L, -1L, -1L, NULL, 0L) == -1 && errno == ENOSYS) {
            puts("the kernel has no such calls");
            exit(77);
        }
}

// Wakes one at the word as soon as somebody waits there.
static inline void wake_one(uint32_t *word, bool by_new_call)
{
    long woken;
    do {
        sched_yield();
        woken = by_new_call ? syscall(CALL_WAKE, word, (unsigned long)UINT32_MAX, 1L, (long)U32_PRIVATE)
                            : syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
        CHECK(woken >= 0 && woken <= 1);
    } while (woken == 0);
}

#endif
