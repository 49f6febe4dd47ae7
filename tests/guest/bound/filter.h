// SPDX-License-Identifier: MIT
// A seccomp filter for one system call of this architecture.
#ifndef GUEST_BOUND_FILTER_H
#define GUEST_BOUND_FILTER_H

#include "bound.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>

// One system call gets `action`, all others are let through. The result of seccomp(2): 0, -1, or with
// SECCOMP_FILTER_FLAG_TSYNC the id of a thread that could not be made to follow.
static inline long filter_install(long number, uint32_t action, unsigned flags)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, action),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof code / sizeof *code, code};
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

static inline void no_new_privileges(void)
{
    CHECK_EQUAL(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
}

// In a thread that then ends. A program that may not is to be skipped.
static inline void *filter_probe(void *works)
{
    no_new_privileges();
    *(bool *)works = filter_install(SYS_getppid, SECCOMP_RET_ALLOW, 0) == 0;
    return NULL;
}

static inline bool filters_work(void)
{
    bool works;
    guest_join(guest_start(filter_probe, &works));
    return works;
}

#endif
