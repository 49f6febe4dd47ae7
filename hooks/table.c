/* SPDX-License-Identifier: MIT */
/*
 * Which call has which hook, and the two wrappers that may stand before all of them: the trace's, and
 * the one for children that share our memory.
 */
#include <sys/syscall.h>

#include "../core/trace.h"
#include "call.h"
#include "hooks.h"

struct entry {
    int number;
    weft_hook *hook;
    const char *name;
    unsigned char arguments; /* how many the trace shows */
    unsigned char kind;      /* enum weft_trace_kind */
};

#define HOOK(name, arguments, kind)                                  \
    {                                                                \
        SYS_##name, hook_##name, #name, arguments, WEFT_TRACE_##kind \
    }
#define SAME(name, hook, arguments, kind)                            \
    {                                                                \
        SYS_##name, hook_##hook, #name, arguments, WEFT_TRACE_##kind \
    }

static const struct entry entries[] = {
    HOOK(futex, 4, FUTEX),
    HOOK(futex_waitv, 5, FUTEX),
    HOOK(futex_wake, 4, FUTEX),
    HOOK(futex_wait, 6, FUTEX),
    HOOK(futex_requeue, 4, FUTEX),
    HOOK(clone, 2, THREAD),
    HOOK(clone3, 2, THREAD),
    HOOK(vfork, 0, THREAD),
    HOOK(fork, 0, THREAD),
    HOOK(exit, 1, THREAD),
    HOOK(exit_group, 1, THREAD),
    HOOK(gettid, 0, THREAD),
    HOOK(set_tid_address, 1, THREAD),
    HOOK(set_robust_list, 2, THREAD),
    HOOK(get_robust_list, 3, THREAD),
    HOOK(rseq, 4, THREAD),
    HOOK(mmap, 4, THREAD),
    HOOK(munmap, 2, THREAD),
    HOOK(mprotect, 3, THREAD),
    HOOK(madvise, 3, THREAD),
    HOOK(mlock, 2, THREAD),
    SAME(mlock2, mlock, 3, THREAD),
    HOOK(mlockall, 1, THREAD),
    SAME(sched_setaffinity, sched_set, 3, THREAD),
    SAME(sched_setscheduler, sched_set, 3, THREAD),
    SAME(sched_setparam, sched_set, 2, THREAD),
    SAME(sched_setattr, sched_set, 3, THREAD),
    HOOK(sched_getaffinity, 3, THREAD),
    HOOK(sched_getscheduler, 1, THREAD),
    HOOK(sched_getparam, 2, THREAD),
    HOOK(sched_getattr, 4, THREAD),
    HOOK(sched_rr_get_interval, 2, THREAD),
    HOOK(getpriority, 2, THREAD),
    HOOK(setpriority, 3, THREAD),
    HOOK(prctl, 2, THREAD),
    SAME(getpgid, of_process, 1, THREAD),
    SAME(getsid, of_process, 1, THREAD),
    SAME(prlimit64, of_process, 2, THREAD),
    SAME(process_vm_readv, of_process, 5, THREAD),
    SAME(process_vm_writev, of_process, 5, THREAD),
    SAME(migrate_pages, of_process, 2, THREAD),
    SAME(move_pages, of_process, 2, THREAD),
    HOOK(kcmp, 3, THREAD),
    SAME(setuid, set_ids, 1, THREAD),
    SAME(setgid, set_ids, 1, THREAD),
    SAME(setreuid, set_ids, 2, THREAD),
    SAME(setregid, set_ids, 2, THREAD),
    SAME(setresuid, set_ids, 3, THREAD),
    SAME(setresgid, set_ids, 3, THREAD),
    SAME(setgroups, set_ids, 2, THREAD),
    HOOK(capget, 2, THREAD),
    HOOK(capset, 2, THREAD),
    SAME(setfsuid, binding, 1, THREAD),
    SAME(setfsgid, binding, 1, THREAD),
    SAME(unshare, binding, 1, THREAD),
    SAME(setns, binding, 2, THREAD),
    SAME(seccomp, binding, 3, THREAD),
    SAME(landlock_restrict_self, binding, 2, THREAD),
    SAME(personality, binding, 1, THREAD),
    SAME(arch_prctl, binding, 2, THREAD),
    SAME(ioperm, binding, 3, THREAD),
    SAME(iopl, binding, 1, THREAD),
    SAME(set_mempolicy, binding, 3, THREAD),
    SAME(ioprio_get, ioprio, 2, THREAD),
    SAME(ioprio_set, ioprio, 3, THREAD),
    SAME(keyctl, binding, 3, THREAD),
    SAME(add_key, binding, 5, THREAD),
    SAME(perf_event_open, binding, 5, THREAD),
    SAME(io_uring_setup, binding, 2, THREAD),
    SAME(io_uring_enter, binding, 6, THREAD),
    HOOK(ptrace, 4, THREAD),
    HOOK(sched_yield, 0, SCHED),
    HOOK(nanosleep, 2, SCHED),
    HOOK(clock_nanosleep, 4, SCHED),
    HOOK(clock_gettime, 2, THREAD),
    HOOK(clock_getres, 2, THREAD),
    HOOK(getrusage, 2, THREAD),
    HOOK(rt_sigaction, 3, THREAD),
    HOOK(rt_sigprocmask, 3, THREAD),
    HOOK(rt_sigpending, 1, THREAD),
    HOOK(rt_sigsuspend, 1, SCHED),
    HOOK(rt_sigtimedwait, 3, SCHED),
    HOOK(pause, 0, SCHED),
    HOOK(execve, 3, THREAD),
    SAME(execveat, execve, 5, THREAD),
    HOOK(kill, 2, THREAD),
    HOOK(tgkill, 3, THREAD),
    HOOK(rt_sigqueueinfo, 3, THREAD),
    HOOK(sigaltstack, 2, THREAD),
    HOOK(signalfd, 3, THREAD),
    SAME(signalfd4, signalfd, 4, THREAD),
    HOOK(timer_create, 3, THREAD),
    HOOK(timer_delete, 1, THREAD),
    HOOK(timer_settime, 4, THREAD),
    HOOK(timer_gettime, 2, THREAD),
    HOOK(timer_getoverrun, 1, THREAD),
    SAME(tkill, tgkill, 2, THREAD),
    HOOK(rt_tgsigqueueinfo, 4, THREAD),
    HOOK(wait4, 4, THREAD),
    HOOK(waitid, 5, THREAD),
    HOOK(flock, 2, IO),
    SAME(msgrcv, message, 5, IO),
    SAME(msgsnd, message, 4, IO),
    SAME(semop, semaphore, 3, IO),
    SAME(semtimedop, semaphore, 4, IO),
    SAME(mq_timedsend, message_queue, 5, IO),
    SAME(mq_timedreceive, message_queue, 5, IO),
    SAME(fsync, blocking, 1, IO),
    SAME(fdatasync, blocking, 1, IO),
    SAME(sync, blocking, 0, IO),
    SAME(syncfs, blocking, 1, IO),
    SAME(msync, blocking, 3, IO),
    HOOK(open, 3, IO),
    SAME(openat, open, 4, IO),
    SAME(openat2, open, 4, IO),
    SAME(creat, open, 2, IO),
    HOOK(pread64, 4, IO),
    SAME(preadv, brief, 4, IO),
    SAME(preadv2, positional, 6, IO),
    SAME(pwrite64, brief, 4, IO),
    SAME(pwritev, brief, 4, IO),
    SAME(pwritev2, positional, 6, IO),
    SAME(copy_file_range, brief, 6, IO),
    SAME(tee, brief, 4, IO),
    SAME(vmsplice, brief, 4, IO),
    SAME(fallocate, brief, 4, IO),
    SAME(ftruncate, brief, 2, IO),
    SAME(truncate, brief, 2, IO),
    SAME(getdents64, brief, 3, IO),
    SAME(rename, brief, 2, IO),
    SAME(renameat, brief, 4, IO),
    SAME(renameat2, brief, 5, IO),
    SAME(unlink, brief, 1, IO),
    SAME(unlinkat, brief, 3, IO),
    SAME(mkdir, brief, 2, IO),
    SAME(mkdirat, brief, 3, IO),
    SAME(rmdir, brief, 1, IO),
    HOOK(read, 3, IO),
    HOOK(readv, 3, IO),
    HOOK(write, 3, IO),
    HOOK(writev, 3, IO),
    HOOK(sendfile, 4, IO),
    HOOK(splice, 6, IO),
    HOOK(recvfrom, 6, IO),
    HOOK(recvmsg, 3, IO),
    HOOK(recvmmsg, 5, IO),
    HOOK(sendto, 6, IO),
    HOOK(sendmsg, 3, IO),
    HOOK(sendmmsg, 4, IO),
    HOOK(accept, 3, IO),
    SAME(accept4, accept, 4, IO),
    HOOK(connect, 3, IO),
    HOOK(shutdown, 2, IO),
    HOOK(poll, 3, IO),
    HOOK(ppoll, 4, IO),
    HOOK(select, 5, IO),
    HOOK(pselect6, 6, IO),
    HOOK(epoll_wait, 4, IO),
    HOOK(epoll_pwait, 5, IO),
    HOOK(epoll_pwait2, 5, IO),
    HOOK(close, 1, IO),
    HOOK(close_range, 3, IO),
    HOOK(dup, 1, IO),
    HOOK(dup2, 2, IO),
    SAME(dup3, dup2, 3, IO),
    HOOK(fcntl, 3, IO),
    HOOK(ioctl, 3, IO),
    HOOK(setsockopt, 5, IO),
    SAME(socket, creates_one, 3, IO),
    SAME(eventfd2, creates_one, 2, IO),
    SAME(timerfd_create, creates_one, 2, IO),
    SAME(pipe, creates_pair, 1, IO),
    SAME(pipe2, creates_pair, 2, IO),
    SAME(socketpair, creates_pair, 4, IO),
};

enum { ENTRIES = sizeof entries / sizeof *entries };

weft_hook *weft_hooks[WEFT_CALL_LIMIT];
static const struct entry *by_number[WEFT_CALL_LIMIT];

/* Prints what the call was and what became of it. */
static long traced(struct weft_call *call)
{
    const struct entry *entry = by_number[call->number];
    struct coroutine *self = weft_current;
    int64_t begin = weft_now();
    self->parked_at = 0;
    long result = entry->hook(call);
    struct weft_line line = {0};
    weft_trace_begin(&line, self);
    weft_line_text(&line, entry->name);
    weft_line_text(&line, "(");
    for (int i = 0; i < entry->arguments; i++) {
        if (i)
            weft_line_text(&line, ", ");
        unsigned long argument = (unsigned long)call->arguments[i];
        if ((long)argument >= -4096 && argument + 4096 < 4096 + (1ul << 20))
            weft_line_number(&line, (long)argument);
        else
            weft_line_hex(&line, argument);
    }
    weft_line_text(&line, ") = ");
    weft_line_number(&line, result);
    if (self->parked_at) {
        weft_line_text(&line, " parked ");
        weft_line_number(&line, (weft_now() - self->parked_at) / 1000);
        weft_line_text(&line, "us");
    }
    weft_line_text(&line, " took ");
    weft_line_number(&line, (weft_now() - begin) / 1000);
    weft_line_text(&line, "us");
    weft_trace_end(&line);
    return result;
}

void weft_hooks_install(void)
{
    for (int i = 0; i < ENTRIES; i++) {
        const struct entry *entry = &entries[i];
        bool shown = weft_trace_mask & entry->kind && entry->number != SYS_exit;
        by_number[entry->number] = entry;
        weft_hooks[entry->number] = shown ? traced : entry->hook;
    }
}
