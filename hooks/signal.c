/* SPDX-License-Identifier: MIT */
/*
 * Signals as the program sees them. The idea stands in core/signal.h.
 *
 * Contexts: on_signal and run_handler run wherever the kernel interrupted us, on any stack, with any FS base
 * of ours, with all signals blocked. The hooks run as all hooks.
 */
#include "signal.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <ucontext.h>

#include "../core/carrier.h"
#include "../core/lock.h"
#include "../core/park.h"
#include "../core/signal.h"
#include "block.h"
#include "hooks.h"

enum { SIGNALS = 64, MASK_SIZE = 8, RESTORER = 0x04000000 };

/* struct sigaction as the kernel has it. */
struct action {
    void *handler;
    unsigned long flags;
    void *restorer;
    uint64_t mask;
};

static struct action actions[SIGNALS + 1]; /* as the program set them */
static struct weft_lock lock;              /* protects writers of actions[] */

typedef void handler_function(int, siginfo_t *, void *);

static bool is_handler(const struct action *action)
{
    return action->handler != SIG_DFL && action->handler != SIG_IGN;
}

static bool outside_of_weft(struct coroutine *self)
{
    return self && !self->in_hook;
}

/* Calls the program's handler for `self`, with the mask that its action asks for. */
static void run_handler(struct coroutine *self, siginfo_t *info, ucontext_t *context)
{
    int number = info->si_signo;
    struct action action = actions[number];
    if (!is_handler(&action))
        return; /* changed meanwhile */
    if (action.flags & SA_RESETHAND)
        actions[number].handler = SIG_DFL;
    uint64_t before = self->signal_mask;
    uint64_t during = before | action.mask | (action.flags & SA_NODEFER ? 0 : weft_signal_bit(number));
    *(uint64_t *)&context->uc_sigmask = before;
    weft_signal_mask_set(self, during);
    self->in_hook = 0;
    uint64_t kernel_mask = weft_signal_kernel_mask();
    weft_raw4(SYS_rt_sigprocmask, SIG_SETMASK, (long)&kernel_mask, 0, MASK_SIZE);
    ((handler_function *)action.handler)(number, info, context);
    self->in_hook = 1;
    /* The program may have changed what it returns to. */
    weft_signal_mask_set(self, *(uint64_t *)&context->uc_sigmask);
}

/* The handler that the kernel knows. */
static void on_signal(int number, siginfo_t *info, void *context)
{
    struct coroutine *self = weft_current;
    ucontext_t *interrupted = context;
    bool fault =
        info->si_code > 0 && info->si_code != SI_KERNEL &&
        (number == SIGSEGV || number == SIGBUS || number == SIGFPE || number == SIGILL || number == SIGTRAP);
    if (outside_of_weft(self) && !(self->signal_mask & weft_signal_bit(number))) {
        self->in_hook = 1;
        run_handler(self, info, interrupted);
        *(uint64_t *)&interrupted->uc_sigmask = weft_signal_kernel_mask();
        self->in_hook = 0;
        return;
    }
    if (fault) { /* cannot wait: as the kernel does with a blocked one */
        struct action fatal = {.handler = SIG_DFL};
        weft_raw4(SYS_rt_sigaction, number, (long)&fatal, 0, MASK_SIZE);
        return;
    }
    struct weft_signal *signal = weft_signal_take(info, info->si_code == SI_TKILL && self ? self : NULL);
    if (!signal)
        return;
    if (self)
        self->signal_due = 1;
    weft_signal_arrive(signal);
}

/* Calls that end with EINTR whatever SA_RESTART says (signal(7)). */
static bool never_restarts(long number)
{
    switch (number) {
    case SYS_poll:
    case SYS_ppoll:
    case SYS_select:
    case SYS_pselect6:
    case SYS_epoll_wait:
    case SYS_epoll_pwait:
    case SYS_epoll_pwait2:
    case SYS_nanosleep:
    case SYS_clock_nanosleep:
    case SYS_pause:
    case SYS_rt_sigsuspend:
    case SYS_rt_sigtimedwait:
    case SYS_semop:
    case SYS_semtimedop:
    case SYS_msgrcv:
    case SYS_msgsnd:
        return true;
    default:
        return false;
    }
}

/* Runs the handlers that are due. Returns true when one of them asks for EINTR. */
static bool run_due(struct coroutine *self, struct weft_call *call)
{
    bool interrupts = false;
    struct weft_signal *signal;
    self->signal_due = 0;
    if (atomic_load(&weft_signals_arrived)) {
        struct processor *processor = weft_core_enter(self);
        weft_signals_distribute(processor);
        weft_core_leave(self);
        self->signal_due = 0;
    }
    while ((signal = weft_signal_next(self, ~self->signal_mask))) {
        siginfo_t info = signal->info;
        weft_signal_give(signal);
        ucontext_t context = {0};
        greg_t *registers = context.uc_mcontext.gregs;
        registers[REG_RIP] = (greg_t)call->site_next;
        registers[REG_RSP] = (greg_t)(call + 1) + WEFT_RED_ZONE;
        interrupts |= !(actions[info.si_signo].flags & SA_RESTART);
        run_handler(self, &info, &context);
    }
    return interrupts;
}

/* Called by entry.S when signals are due at the end of a hook that returned `result`. */
__attribute__((used)) long weft_signals_at_exit(struct weft_call *call, long result);
long weft_signals_at_exit(struct weft_call *call, long result)
{
    struct coroutine *self = weft_current;
    for (;;) {
        self->in_hook = 1;
        bool interrupts = run_due(self, call);
        if (result == -EINTR && !interrupts && !never_restarts(call->number) && weft_hooks[call->number])
            result = weft_hooks[call->number](call);
        else {
            self->in_hook = 0;
            if (!self->signal_due)
                return result;
        }
    }
}

long weft_with_signal_mask(struct weft_call *call, const uint64_t *mask, size_t size, weft_hook *hook)
{
    struct coroutine *self = weft_current;
    if (size != MASK_SIZE)
        return -EINVAL;
    uint64_t before = self->signal_mask;
    uint64_t never_blocked = weft_signal_bit(SIGKILL) | weft_signal_bit(SIGSTOP);
    weft_signal_mask_set(self, *mask & ~never_blocked);
    long result = -EINTR;
    if (!(weft_signals_pending(self) & ~self->signal_mask))
        result = hook(call);
    if (self->signal_due || result == -EINTR) {
        run_due(self, call);
        self->in_hook = 1;
    }
    weft_signal_mask_set(self, before);
    return result;
}

WEFT_HOOK(rt_sigprocmask)
{
    struct coroutine *self = weft_current;
    const uint64_t *set = (const uint64_t *)call->arguments[1];
    uint64_t *old = (uint64_t *)call->arguments[2], before = self->signal_mask, after = before;
    if (call->arguments[3] != MASK_SIZE)
        return -EINVAL;
    if (set) {
        uint64_t change = *set & ~(weft_signal_bit(SIGKILL) | weft_signal_bit(SIGSTOP));
        switch (call->arguments[0]) {
        case SIG_BLOCK:
            after |= change;
            break;
        case SIG_UNBLOCK:
            after &= ~change;
            break;
        case SIG_SETMASK:
            after = change;
            break;
        default:
            return -EINVAL;
        }
    }
    if (old)
        *old = before;
    weft_signal_mask_set(self, after);
    return 0;
}

WEFT_HOOK(rt_sigpending)
{
    long result = weft_call_raw(call);
    if (result == 0 && call->arguments[1] == MASK_SIZE)
        *(uint64_t *)call->arguments[0] |= weft_signals_pending(weft_current);
    return result;
}

static bool abandon_wait(struct coroutine *self)
{
    (void)self;
    return true; /* only a signal ends it */
}

static long wait_for_signal(struct weft_call *call)
{
    struct coroutine *self = weft_current;
    (void)call;
    struct processor *processor = weft_core_enter(self);
    weft_park_announce(self, processor, abandon_wait);
    atomic_thread_fence(memory_order_seq_cst);
    long result = -EINTR;
    if (weft_park_due(self))
        weft_park_give_up(self);
    else
        result = weft_park(self, WEFT_REASON_SIGNAL, NULL, NULL);
    weft_core_leave(self);
    return result;
}

WEFT_HOOK(pause)
{
    return wait_for_signal(call);
}

WEFT_HOOK(rt_sigsuspend)
{
    return weft_with_signal_mask(call, (const uint64_t *)call->arguments[0], (size_t)call->arguments[1],
                                 wait_for_signal);
}

/* Ours first; what all block waits in the kernel. */
WEFT_HOOK(rt_sigtimedwait)
{
    const uint64_t *set = (const uint64_t *)call->arguments[0];
    if (set && call->arguments[3] == MASK_SIZE) {
        struct weft_signal *signal = weft_signal_next(weft_current, *set);
        if (signal) {
            siginfo_t *info = (siginfo_t *)call->arguments[1];
            int number = signal->info.si_signo;
            if (info)
                *info = signal->info;
            weft_signal_give(signal);
            return number;
        }
    }
    return weft_block_in_kernel(call);
}

WEFT_HOOK(rt_sigaction)
{
    int number = (int)call->arguments[0];
    const struct action *wanted = (const struct action *)call->arguments[1];
    struct action *old = (struct action *)call->arguments[2];
    if (number < 1 || number > SIGNALS || number == SIGKILL || number == SIGSTOP ||
        call->arguments[3] != MASK_SIZE)
        return weft_call_raw(call);
    struct action next, before;
    long result = 0;
    weft_lock_acquire(&lock);
    before = actions[number];
    if (wanted) {
        next = *wanted;
        struct action kernel = next;
        if (is_handler(&next)) {
            kernel.handler = (void *)on_signal;
            kernel.flags = (next.flags & ~(unsigned long)(SA_NODEFER | SA_RESETHAND)) | SA_SIGINFO;
            kernel.mask = ~UINT64_C(0);
        }
        actions[number] = next;
        result = weft_raw4(SYS_rt_sigaction, number, (long)&kernel, 0, MASK_SIZE);
        if (result != 0)
            actions[number] = before;
    }
    weft_lock_release(&lock);
    if (old && result == 0)
        *old = before;
    return result;
}

void weft_signals_install(void)
{
    for (int number = 1; number <= SIGNALS; number++) {
        struct action *action = &actions[number];
        if (weft_raw4(SYS_rt_sigaction, number, 0, (long)action, MASK_SIZE) != 0 || !is_handler(action))
            continue;
        struct action kernel = *action;
        kernel.handler = (void *)on_signal;
        kernel.flags = (action->flags & ~(unsigned long)(SA_NODEFER | SA_RESETHAND)) | SA_SIGINFO;
        kernel.mask = ~UINT64_C(0);
        weft_raw4(SYS_rt_sigaction, number, (long)&kernel, 0, MASK_SIZE);
    }
}

static bool ignored(int number)
{
    if (actions[number].handler == SIG_IGN)
        return true;
    return actions[number].handler == SIG_DFL &&
           (number == SIGCHLD || number == SIGURG || number == SIGWINCH || number == SIGCONT);
}

/* A signal for one coroutine. */
static long send(struct coroutine *target, const siginfo_t *info)
{
    struct coroutine *self = weft_current;
    int number = info->si_signo;
    bool blocked = target->signal_mask & weft_signal_bit(number);
    if (!blocked && ignored(number))
        return 0;
    if (!blocked && actions[number].handler == SIG_DFL) /* what it does, it does to the process */
        return weft_raw3(SYS_tgkill, weft_raw0(SYS_getpid), self->carrier->tid, number);
    struct weft_signal *signal = weft_signal_take(info, target);
    if (!signal)
        return -EAGAIN;
    weft_signal_arrive(signal);
    self->signal_due = 1; /* looks through what arrived at the end of this call */
    return 0;
}

/* tgkill(process, thread, signal), tkill(thread, signal) */
WEFT_HOOK(tgkill)
{
    bool with_process = call->number == SYS_tgkill;
    int tid = (int)call->arguments[with_process ? 1 : 0], number = (int)call->arguments[with_process ? 2 : 1];
    struct coroutine *target = weft_coroutine_find(tid);
    int pid = (int)weft_raw0(SYS_getpid);
    if (!target || number < 0 || number > SIGNALS || (with_process && call->arguments[0] != pid))
        return weft_call_raw(call);
    if (number == 0)
        return 0;
    siginfo_t info = {.si_signo = number, .si_code = SI_TKILL};
    info.si_pid = pid;
    info.si_uid = (uid_t)weft_raw0(SYS_getuid);
    return send(target, &info);
}

/* rt_tgsigqueueinfo(process, thread, signal, info) */
WEFT_HOOK(rt_tgsigqueueinfo)
{
    struct coroutine *target = weft_coroutine_find((int)call->arguments[1]);
    int number = (int)call->arguments[2];
    const siginfo_t *info = (const siginfo_t *)call->arguments[3];
    if (!target || number < 1 || number > SIGNALS || !info || call->arguments[0] != weft_raw0(SYS_getpid))
        return weft_call_raw(call);
    siginfo_t copy = *info;
    copy.si_signo = number;
    return send(target, &copy);
}
