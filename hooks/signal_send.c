/* SPDX-License-Identifier: MIT */
/*
 * Sending signals within the process: to a thread, or to the process itself. Between coroutines the kernel
 * has no part in it, but for what acts on the process (default actions) and for what everybody blocks: that
 * waits in the kernel, where signalfd finds it.
 */
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>

#include "../core/carrier.h"
#include "../core/errand.h"
#include "../core/park.h"
#include "credentials.h"
#include "hooks.h"
#include "signal.h"

enum {
    QUEUE_FREE = 256,         /* so many are queued without asking for the limit */
    SETXID = WEFT_SIGNAL_KICK /* when glibc sends it */
};

static siginfo_t info_of(int number, int code)
{
    siginfo_t info = {.si_signo = number, .si_code = code};
    info.si_pid = (pid_t)weft_raw0(SYS_getpid);
    info.si_uid = (uid_t)weft_raw0(SYS_getuid);
    return info;
}

/* Only what carries a value is refused; the others lose at most their details. */
static bool queue_full(const siginfo_t *info)
{
    struct rlimit limit;
    size_t queued = weft_signals_queued();
    if (info->si_code == SI_USER || info->si_code == SI_TKILL)
        return false;
    if (queued < QUEUE_FREE &&
        (queued == 0 || weft_raw4(SYS_prlimit64, 0, RLIMIT_SIGPENDING, 0, (long)&limit) != 0))
        return false;
    if (queued >= QUEUE_FREE && weft_raw4(SYS_prlimit64, 0, RLIMIT_SIGPENDING, 0, (long)&limit) != 0)
        return false;
    return queued >= limit.rlim_cur;
}

/* That tgkill has sent a signal the kernel believes of nobody but the thread that it is for: here the first
 * one. */
static long send_by_first(const struct weft_call *call)
{
    struct carrier *carrier = weft_carrier_of((int)weft_raw0(SYS_getpid));
    return carrier && carrier != weft_current->carrier ? weft_errand(carrier, call->number, call->arguments)
                                                       : -EPERM;
}

/* What all block is left to the kernel. When somebody does not block it any more, he may never learn of it:
 * the kernel tells the first kernel thread, whenever that runs. */
static long send_by_kernel(const struct weft_call *call, int number)
{
    bool blocked =
        number > 0 && number <= WEFT_SIGNALS && weft_signal_kernel_mask() & weft_signal_bit(number);
    long result = weft_call_raw(call);
    if (result == -EPERM && call->number == SYS_rt_sigqueueinfo)
        result = send_by_first(call);
    if (blocked && result == 0) {
        weft_signal_mask_sent(weft_signal_bit(number));
        weft_signals_settle(weft_current);
    }
    return result;
}

long weft_signal_leave_to_kernel(const siginfo_t *info)
{
    const struct weft_call call = {.number = SYS_rt_sigqueueinfo,
                                   .arguments = {weft_raw0(SYS_getpid), info->si_signo, (long)info}};
    return send_by_kernel(&call, info->si_signo);
}

static long send_to_thread(struct coroutine *target, int tid, const siginfo_t *info)
{
    int number = info->si_signo;
    struct coroutine *self = weft_current;
    if (number == SIGKILL || number == SIGSTOP)
        return weft_raw2(SYS_kill, weft_raw0(SYS_getpid), number);
    if (number == SIGCONT) /* continues the process whatever the thread does with it */
        weft_raw2(SYS_kill, weft_raw0(SYS_getpid), number);
    if (!(__atomic_load_n(&target->signal_mask, __ATOMIC_RELAXED) & weft_signal_bit(number)) &&
        weft_signal_disposition(number) == WEFT_DISPOSITION_IGNORE)
        return 0;
    if (weft_signal_descriptors_tell(number))
        return weft_signal_leave_to_kernel(info);
    if (queue_full(info))
        return -EAGAIN;
    long result = weft_signal_send(weft_core_enter(self), tid, info);
    weft_core_leave(self);
    return result;
}

/* Whether a signal for the process is left to the kernel. */
static bool left_to_kernel(int number)
{
    if (number < 1 || number > WEFT_SIGNALS || weft_signal_kernel_mask() & weft_signal_bit(number))
        return true;
    enum weft_disposition disposition = weft_signal_disposition(number);
    bool threads_own = number == SIGPIPE || number == SIGXFSZ; /* which the kernel does not act on */
    return disposition == WEFT_DISPOSITION_IGNORE ||
           (disposition == WEFT_DISPOSITION_DEFAULT && !threads_own);
}

static long send_to_process(const siginfo_t *info)
{
    struct coroutine *self = weft_current;
    if (queue_full(info))
        return -EAGAIN;
    long result = weft_signal_send(weft_core_enter(self), 0, info);
    weft_core_leave(self);
    return result;
}

/* By the id of one of its threads, too. */
static bool is_own_process(int pid)
{
    return pid > 0 && (pid == weft_raw0(SYS_getpid) || weft_coroutine_find(pid));
}

/* kill(process, signal) */
WEFT_HOOK(kill)
{
    int number = (int)call->arguments[1];
    struct weft_call named = *call;
    if (!is_own_process((int)call->arguments[0]))
        return weft_call_raw(call);
    named.arguments[0] = weft_raw0(SYS_getpid);
    if (left_to_kernel(number))
        return send_by_kernel(&named, number);
    siginfo_t info = info_of(number, SI_USER);
    return send_to_process(&info);
}

/* tgkill(process, thread, signal), tkill(thread, signal) */
WEFT_HOOK(tgkill)
{
    bool with_process = call->number == SYS_tgkill;
    int tid = (int)call->arguments[with_process ? 1 : 0], number = (int)call->arguments[with_process ? 2 : 1];
    struct coroutine *target = tid > 0 ? weft_coroutine_find(tid) : NULL;
    if (!target || (with_process && (int)call->arguments[0] != weft_raw0(SYS_getpid)))
        return weft_call_raw(call);
    if (number < 0 || number > WEFT_SIGNALS)
        return -EINVAL;
    if (number == 0)
        return 0;
    if (number == SETXID)
        weft_set_ids_announce(weft_current);
    siginfo_t info = info_of(number, SI_TKILL);
    return send_to_thread(target, tid, &info);
}

/* What the kernel lets nobody pretend: that it, or kill, sent a signal. */
static bool pretends(const siginfo_t *info, int tid)
{
    return (info->si_code >= 0 || info->si_code == SI_TKILL) && weft_current->tid != tid;
}

/* rt_sigqueueinfo(process, signal, info) */
WEFT_HOOK(rt_sigqueueinfo)
{
    int pid = (int)call->arguments[0], number = (int)call->arguments[1];
    const siginfo_t *info = (const siginfo_t *)call->arguments[2];
    struct weft_call named = *call;
    if (!is_own_process(pid) || !info)
        return weft_call_raw(call);
    if (pretends(info, pid))
        return -EPERM;
    named.arguments[0] = weft_raw0(SYS_getpid);
    if (left_to_kernel(number))
        return send_by_kernel(&named, number);
    siginfo_t copy = *info;
    copy.si_signo = number;
    return send_to_process(&copy);
}

/* rt_tgsigqueueinfo(process, thread, signal, info) */
WEFT_HOOK(rt_tgsigqueueinfo)
{
    int tid = (int)call->arguments[1], number = (int)call->arguments[2];
    struct coroutine *target = tid > 0 ? weft_coroutine_find(tid) : NULL;
    const siginfo_t *info = (const siginfo_t *)call->arguments[3];
    if (!target || !info || (int)call->arguments[0] != weft_raw0(SYS_getpid))
        return weft_call_raw(call);
    if (pretends(info, tid))
        return -EPERM;
    if (number < 0 || number > WEFT_SIGNALS)
        return -EINVAL;
    if (number == 0)
        return 0;
    siginfo_t copy = *info;
    copy.si_signo = number;
    return send_to_thread(target, tid, &copy);
}
