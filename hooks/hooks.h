/* SPDX-License-Identifier: MIT */
/*
 * What a system call means to a coroutine: one hook per call, one file per family. Families share the
 * helpers of deadline.h, block.h, descriptor.h and wait.h.
 */
#ifndef WEFT_HOOKS_HOOKS_H
#define WEFT_HOOKS_HOOKS_H

#include "call.h"

/* futex.c */
WEFT_HOOK(futex);

/* futex2.c */
WEFT_HOOK(futex_waitv);
WEFT_HOOK(futex_wake);
WEFT_HOOK(futex_wait);
WEFT_HOOK(futex_requeue);

/* thread.c: the life and identity of a thread */
WEFT_HOOK(clone);
WEFT_HOOK(clone3);
WEFT_HOOK(vfork);
WEFT_HOOK(fork);
WEFT_HOOK(exit);
WEFT_HOOK(exit_group);
WEFT_HOOK(gettid);
WEFT_HOOK(set_tid_address);
WEFT_HOOK(set_robust_list);
WEFT_HOOK(get_robust_list);
WEFT_HOOK(rseq);

/* memory.c: the stacks that glibc maps for threads */
WEFT_HOOK(mmap);
WEFT_HOOK(munmap);
WEFT_HOOK(mprotect);
WEFT_HOOK(mlock);
WEFT_HOOK(mlockall);
WEFT_HOOK(madvise);

/* identity.c: the name and the scheduling of a thread */
WEFT_HOOK(sched_set);
WEFT_HOOK(sched_getaffinity);
WEFT_HOOK(sched_getscheduler);
WEFT_HOOK(sched_getparam);
WEFT_HOOK(sched_getattr);
WEFT_HOOK(sched_rr_get_interval);
WEFT_HOOK(getpriority);
WEFT_HOOK(setpriority);
WEFT_HOOK(prctl);

/* process_id.c */
WEFT_HOOK(of_process);
WEFT_HOOK(kcmp);

/* sleep.c */
WEFT_HOOK(sched_yield);
WEFT_HOOK(nanosleep);
WEFT_HOOK(clock_nanosleep);

/* cpu_clock.c: the CPU time of threads */
WEFT_HOOK(clock_gettime);
WEFT_HOOK(clock_getres);
WEFT_HOOK(getrusage);

/* io.c: read and write families on descriptors of any kind */
WEFT_HOOK(read);
WEFT_HOOK(readv);
WEFT_HOOK(write);
WEFT_HOOK(writev);

/* transfer.c: data that moves inside the kernel */
WEFT_HOOK(sendfile);
WEFT_HOOK(splice);

/* file.c: what may wait for a disk */
WEFT_HOOK(pread64);
WEFT_HOOK(open);
WEFT_HOOK(positional);
WEFT_HOOK(brief);

/* process.c: waiting for children */
WEFT_HOOK(wait4);
WEFT_HOOK(waitid);

/* tracer.c */
WEFT_HOOK(ptrace);

/* socket_receive.c, socket_send.c, socket_vector.c */
WEFT_HOOK(recvfrom);
WEFT_HOOK(recvmsg);
WEFT_HOOK(recvmmsg);
WEFT_HOOK(sendto);
WEFT_HOOK(sendmsg);
WEFT_HOOK(sendmmsg);

/* connect.c */
WEFT_HOOK(accept);
WEFT_HOOK(connect);
WEFT_HOOK(shutdown);

/* poll.c */
WEFT_HOOK(poll);
WEFT_HOOK(ppoll);

/* select.c */
WEFT_HOOK(select);
WEFT_HOOK(pselect6);

/* epoll.c */
WEFT_HOOK(epoll_wait);
WEFT_HOOK(epoll_pwait);
WEFT_HOOK(epoll_pwait2);

/* descriptor_calls.c: what changes the meaning of a descriptor */
WEFT_HOOK(close);
WEFT_HOOK(close_range);
WEFT_HOOK(dup);
WEFT_HOOK(dup2);
WEFT_HOOK(fcntl);
WEFT_HOOK(ioctl);
WEFT_HOOK(setsockopt);
WEFT_HOOK(creates_one);
WEFT_HOOK(creates_pair);

/* bound.c: what the kernel keeps for one thread */
WEFT_HOOK(binding);
WEFT_HOOK(capget);
WEFT_HOOK(capset);
WEFT_HOOK(ioprio);

/* block.c: calls that only the kernel can wait for */
WEFT_HOOK(blocking);
WEFT_HOOK(flock);
WEFT_HOOK(message);
WEFT_HOOK(semaphore);
WEFT_HOOK(message_queue);

/* signal_action.c */
WEFT_HOOK(rt_sigaction);

/* signal_wait.c */
WEFT_HOOK(rt_sigprocmask);
WEFT_HOOK(rt_sigpending);
WEFT_HOOK(rt_sigsuspend);
WEFT_HOOK(rt_sigtimedwait);
WEFT_HOOK(pause);
WEFT_HOOK(execve);

/* signal_send.c */
WEFT_HOOK(kill);
WEFT_HOOK(tgkill);
WEFT_HOOK(set_ids);
WEFT_HOOK(rt_sigqueueinfo);
WEFT_HOOK(rt_tgsigqueueinfo);

/* signal_stack.c */
WEFT_HOOK(sigaltstack);
WEFT_HOOK(signalfd);

/* signal_timer.c */
WEFT_HOOK(timer_create);
WEFT_HOOK(timer_delete);
WEFT_HOOK(timer_getoverrun);

/* cpu_timer.c: timers on threads' CPU clocks */
WEFT_HOOK(timer_settime);
WEFT_HOOK(timer_gettime);

#endif
