/* SPDX-License-Identifier: MIT */
/* The system calls that weft hooks, or may come to hook. */
#ifndef WEFT_TESTS_SITE_WANTED_H
#define WEFT_TESTS_SITE_WANTED_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/syscall.h>

#define WANTED_COUNT 600

static inline void wanted_fill(bool *wanted)
{
    static const short numbers[] = {
        SYS_read,
        SYS_write,
        SYS_readv,
        SYS_writev,
        SYS_pread64,
        SYS_pwrite64,
        SYS_poll,
        SYS_ppoll,
        SYS_select,
        SYS_pselect6,
        SYS_epoll_wait,
        SYS_epoll_pwait,
        441,
        SYS_recvfrom,
        SYS_sendto,
        SYS_recvmsg,
        SYS_sendmsg,
        SYS_recvmmsg,
        SYS_sendmmsg,
        SYS_accept,
        SYS_accept4,
        SYS_connect,
        SYS_close,
        SYS_dup,
        SYS_dup2,
        SYS_dup3,
        SYS_fcntl,
        SYS_ioctl,
        SYS_socket,
        SYS_socketpair,
        SYS_pipe,
        SYS_pipe2,
        SYS_nanosleep,
        SYS_clock_nanosleep,
        SYS_sched_yield,
        SYS_futex,
        SYS_clone,
        SYS_clone3,
        SYS_vfork,
        SYS_fork,
        SYS_exit,
        SYS_exit_group,
        SYS_gettid,
        SYS_set_robust_list,
        SYS_set_tid_address,
        SYS_rseq,
        SYS_tgkill,
        SYS_tkill,
        SYS_rt_sigaction,
        SYS_rt_sigprocmask,
        SYS_rt_sigsuspend,
        SYS_rt_sigtimedwait,
        SYS_pause,
        SYS_wait4,
        SYS_waitid,
        SYS_mmap,
        SYS_munmap,
        SYS_mprotect,
        SYS_madvise,
        SYS_flock,
    };
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        wanted[numbers[i]] = true;
}

#endif
