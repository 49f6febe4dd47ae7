/* SPDX-License-Identifier: MIT */
/*
 * Calls that change what the kernel keeps for one thread and nobody can move: who makes one with success is
 * bound (core/bound.h). Changes to the whole process are not among them, nor what weft keeps itself (names,
 * schedules, masks, ids that glibc sets for all).
 *
 * What a thread hands down to those it creates is said by clone(2), credentials(7) and the page of each call;
 * where these are silent, by the kernel's copy_process.
 */
#include <errno.h>
#include <stdint.h>

#include <asm/prctl.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>

#include "../core/bound.h"
#include "../core/carrier.h"
#include "bound.h"
#include "hooks.h"
#include "user.h"

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif
#ifndef PR_SET_IO_FLUSHER
#define PR_SET_IO_FLUSHER 57
#endif
#ifndef PR_SCHED_CORE
#define PR_SCHED_CORE 62
#endif
#ifndef ARCH_SET_CPUID
#define ARCH_SET_CPUID 0x1012
#endif
#ifndef KEY_SPEC_THREAD_KEYRING
#define KEY_SPEC_THREAD_KEYRING (-1)
#endif

enum { IOPRIO_OF_PROCESS = 1 }; /* IOPRIO_WHO_PROCESS of <linux/ioprio.h>, which Debian 11 has not */

static enum weft_bound of_prctl(const long *arguments)
{
    switch (arguments[0]) {
    case PR_SET_PDEATHSIG:
    case PR_SET_SYSCALL_USER_DISPATCH:
        return WEFT_BOUND_ALONE;
    case PR_CAP_AMBIENT:
        return arguments[1] == PR_CAP_AMBIENT_IS_SET ? WEFT_UNBOUND : WEFT_BOUND_HEIRS;
    case PR_CAPBSET_DROP:
    case PR_SET_KEEPCAPS:
    case PR_SET_SECUREBITS:
    case PR_SET_NO_NEW_PRIVS:
    case PR_SET_SECCOMP:
    case PR_SET_TIMERSLACK:
    case PR_SET_TSC:
    case PR_SET_SPECULATION_CTRL:
    case PR_SET_IO_FLUSHER:
    case PR_MCE_KILL:
    case PR_SCHED_CORE:
        return WEFT_BOUND_HEIRS;
    default:
        return WEFT_UNBOUND;
    }
}

static enum weft_bound of_keyctl(const long *arguments)
{
    switch (arguments[0]) {
    case KEYCTL_JOIN_SESSION_KEYRING:
    case KEYCTL_SET_REQKEY_KEYRING:
    case KEYCTL_ASSUME_AUTHORITY:
        return WEFT_BOUND_HEIRS;
    case KEYCTL_GET_KEYRING_ID:
        return (int)arguments[1] == KEY_SPEC_THREAD_KEYRING && arguments[2] ? WEFT_BOUND_ALONE : WEFT_UNBOUND;
    default:
        return WEFT_UNBOUND;
    }
}

static enum weft_bound of_ptrace(long request)
{
    bool begins = request == PTRACE_TRACEME || request == PTRACE_ATTACH || request == PTRACE_SEIZE;
    return begins ? WEFT_BOUND_ALONE : WEFT_UNBOUND;
}

/* What binds a caller if it succeeds. */
static enum weft_bound of(const struct weft_call *call)
{
    const long *arguments = call->arguments;
    switch (call->number) {
    case SYS_prctl:
        return of_prctl(arguments);
    case SYS_keyctl:
        return of_keyctl(arguments);
    case SYS_seccomp:
        if (arguments[0] > SECCOMP_SET_MODE_FILTER || arguments[1] & SECCOMP_FILTER_FLAG_TSYNC)
            return WEFT_UNBOUND; /* a question, or for all threads */
        return WEFT_BOUND_HEIRS;
    case SYS_arch_prctl:
        return arguments[0] == ARCH_SET_GS || arguments[0] == ARCH_SET_CPUID ? WEFT_BOUND_HEIRS
                                                                             : WEFT_UNBOUND;
    case SYS_personality:
        return (unsigned)arguments[0] != ~0u ? WEFT_BOUND_HEIRS : WEFT_UNBOUND;
    case SYS_unshare:
        return arguments[0] ? WEFT_BOUND_HEIRS : WEFT_UNBOUND;
    case SYS_add_key:
        return (int)arguments[4] == KEY_SPEC_THREAD_KEYRING ? WEFT_BOUND_ALONE : WEFT_UNBOUND;
    case SYS_perf_event_open: /* attributes, thread, ... */
        return arguments[1] == 0 ? WEFT_BOUND_ALONE : WEFT_UNBOUND;
    case SYS_ioprio_set: /* of what, of whom, ... */
        return arguments[0] == IOPRIO_OF_PROCESS && arguments[1] == 0 ? WEFT_BOUND_HEIRS : WEFT_UNBOUND;
    case SYS_ptrace:
        return of_ptrace(arguments[0]);
    case SYS_io_uring_setup: /* what a thread has submitted is cancelled at its end */
    case SYS_io_uring_enter:
        return WEFT_BOUND_ALONE;
    case SYS_ioprio_get:
        return WEFT_UNBOUND;
    default:
        return WEFT_BOUND_HEIRS;
    }
}

/* setfsuid and setfsgid never say that they have failed, but what the id was before; so does one with no id.
 */
enum { NO_ID = -1 };

static bool sets_file_id(const struct weft_call *call)
{
    return call->number == SYS_setfsuid || call->number == SYS_setfsgid;
}

static bool has_file_id(const struct weft_call *call)
{
    return weft_raw1(call->number, NO_ID) == (int)call->arguments[0];
}

long weft_bind_by(const struct weft_call *call)
{
    struct coroutine *self = weft_current;
    enum weft_bound kind = of(call), before = self->bound;
    bool file_id = sets_file_id(call);
    if (kind <= before || (file_id && ((int)call->arguments[0] == NO_ID || has_file_id(call))))
        return weft_call_raw(call);
    weft_bound_leave_shared(self);
    long result = weft_call_raw(call);
    if (file_id ? has_file_id(call) : result >= 0)
        weft_bound_begin(self, kind);
    else if (before == WEFT_UNBOUND && self->bound)
        weft_bound_release(self);
    return result;
}

WEFT_HOOK(binding)
{
    return weft_bind_by(call);
}

/* A kernel thread that has what the coroutine has. */
static int kernel_id(const struct coroutine *coroutine)
{
    const struct coroutine *self = weft_current;
    if (coroutine == self || (!coroutine->bound && !self->bound))
        return 0;
    return coroutine->bound ? coroutine->carrier->tid : weft_carrier_unbound_id();
}

/* capget(header, data), capset(header, data): the header names a thread. */
static long with_kernel_id(const struct weft_call *call, long (*make)(const struct weft_call *))
{
    struct {
        uint32_t version;
        int tid;
    } header, *place = (void *)call->arguments[0];
    struct weft_call copy = *call;
    struct coroutine *meant =
        weft_user_read(&header, place, sizeof header) ? weft_coroutine_find(header.tid) : NULL;
    if (!meant)
        return make(call);
    header.tid = kernel_id(meant);
    copy.arguments[0] = (long)&header;
    long result = make(&copy);
    if (result == -EINVAL)
        place->version = header.version; /* the kernel says which it knows */
    return result;
}

WEFT_HOOK(capget)
{
    return with_kernel_id(call, weft_call_raw);
}

WEFT_HOOK(capset)
{
    return with_kernel_id(call, weft_bind_by);
}

/* ioprio_get(of what, of whom), ioprio_set(of what, of whom, priority) */
WEFT_HOOK(ioprio)
{
    struct weft_call copy = *call;
    if (copy.arguments[0] == IOPRIO_OF_PROCESS && (int)copy.arguments[1] == weft_current->tid)
        copy.arguments[1] = 0;
    return weft_bind_by(&copy);
}
