/* SPDX-License-Identifier: MIT */
/*
 * What the kernel calls: the one handler of all the program's signals, and the kick.
 *
 * Contexts: wherever the kernel interrupted us, with any FS base of ours, with all signals blocked, on the
 * carrier's stack for signals. Three places are told apart:
 *   - program code of a coroutine (in_hook is clear): its locks are not ours, so once on its stack everything
 *     may be done as in a hook: signals are sent on, handlers run.
 *   - weft (in_hook is set, or a carrier's own stack): only what is lock-free.
 *   - two places in weft where nothing is held and something would be missed: before and in a call that waits
 *     in the kernel (interruptible.S), and behind the last look at signal_due (entry.S). We change where they
 *     go on.
 *
 * While the handler runs program code, or may park, its kernel thread must block no more than kernel threads
 * do. When it returns all is blocked again until the kernel has gone back in one step, so that nothing comes
 * in between that the interrupted code would not see.
 */
#include "signal.h"

#include <signal.h>
#include <stddef.h>

#include "../core/carrier.h"
#include "../core/credentials.h"
#include "../core/errand.h"
#include "../core/park.h"
#include "hooks.h"

enum {
    INVALID_STACK_FLAGS = 0x7f,
    ROOM_TO_SEND = 2048 /* bytes of stack to pass on what is another's: less than 1 KiB by -fstack-usage */
};

extern const char weft_entry_leaving[], weft_entry_left[]; /* preload/entry.S */
extern const char weft_interruptible_begin[], weft_interruptible_end[], weft_interruptible_interrupted[];

static struct carrier *this_carrier(struct coroutine *self)
{
    return self ? self->carrier : weft_carrier_of((int)weft_raw0(SYS_gettid));
}

static uint64_t *mask_returned_to(ucontext_t *interrupted)
{
    return (uint64_t *)&interrupted->uc_sigmask;
}

/* From here on this is a hook in all but name. */
static void begin_in_program(struct weft_delivery *delivery)
{
    struct coroutine *self = delivery->self;
    self->in_hook = 1;
    weft_place_show(&delivery->shown, delivery->interrupted);
    self->carrier->kernel_mask = ~UINT64_C(0); /* as the kernel has made it */
    weft_signal_mask_follow(self->carrier);
}

static void end_in_program(struct weft_delivery *delivery)
{
    struct coroutine *self = delivery->self;
    for (;;) {
        weft_signal_mask_all(self->carrier);
        if (delivery->ending || !__atomic_load_n(&self->signal_due, __ATOMIC_SEQ_CST))
            break;
        weft_signal_mask_follow(self->carrier);
        weft_signals_deliver_due(delivery, self->signal_mask);
    }
    weft_place_restore(&delivery->shown, delivery->interrupted);
    weft_signal_mask_follow_later(self->carrier, mask_returned_to(delivery->interrupted));
    *mask_returned_to(delivery->interrupted) &= ~delivery->ending;
    /* The kernel thread's alternate stack is no business of the frame: it may be another thread than at
     * first. */
    delivery->interrupted->uc_stack.ss_flags = INVALID_STACK_FLAGS;
    self->in_hook = 0;
}

static bool is_fault(const siginfo_t *info)
{
    switch (info->si_signo) {
    case SIGSEGV:
    case SIGBUS:
    case SIGFPE:
    case SIGILL:
    case SIGTRAP:
    case SIGSYS:
        return info->si_code > 0;
    default:
        return false;
    }
}

/* A fault that nobody handles: as the kernel does with a blocked one. */
static void end_process(int number)
{
    weft_action_leave_to_kernel(number);
    if (number == SIGTRAP || number == SIGSYS) /* the others happen again */
        weft_raw3(SYS_tgkill, weft_raw0(SYS_getpid), weft_raw0(SYS_gettid), number);
}

/* True when such a fault of `self` is for a handler of the program. */
static bool handles(struct coroutine *self, int number)
{
    return !(self->signal_mask & weft_signal_bit(number)) &&
           weft_signal_disposition(number) == WEFT_DISPOSITION_HANDLER;
}

/* The thread that the kernel means, 0: any. -1: nobody. May change `info`. */
static int addressee(struct coroutine *self, siginfo_t *info)
{
    int tid = weft_timer_resolve(info);
    if (tid)
        return tid;
    long pid = weft_raw0(SYS_getpid);
    /* What a call of its own has caused, and the kernel says so in this way. */
    bool by_itself =
        weft_signal_raised_by_calls(info->si_signo) && info->si_code == SI_USER && info->si_pid == pid;
    /* By job control: to the process group, of which the calling thread is mostly the first to look. */
    bool by_job_control = self && self->carrier->lent_to == self && info->si_code == SI_KERNEL &&
                          (info->si_signo == SIGTTIN || info->si_signo == SIGTTOU);
    if ((by_itself && self) || by_job_control)
        return self->tid;
    if (info->si_code == SI_TKILL && weft_raw0(SYS_gettid) == pid)
        return (int)pid; /* from another process, which knows no thread but main */
    return 0;
}

static void on_signal_in_program(int number, siginfo_t *info, void *context)
{
    struct coroutine *self = weft_current;
    struct weft_delivery delivery = {.self = self, .interrupted = context};
    (void)number;
    if (is_fault(info)) {
        begin_in_program(&delivery);
        weft_signal_deliver(&delivery, info, self->signal_mask);
    } else {
        /* Left as a record before the next signal may interrupt us, for the order's sake. */
        bool scarce;
        int tid = addressee(self, info);
        struct weft_signal *signal = tid < 0 ? NULL : weft_signal_take(info, tid, &scarce);
        if (signal)
            weft_signal_leave(signal);
        begin_in_program(&delivery);
        struct processor *here = weft_core_enter(self);
        weft_signals_distribute(here);
        if (!signal && tid >= 0)
            weft_signal_send(here, tid, info);
        weft_core_leave(self);
    }
    end_in_program(&delivery);
}

static void redirect(struct coroutine *self, ucontext_t *interrupted)
{
    greg_t *place = &interrupted->uc_mcontext.gregs[REG_RIP];
    uintptr_t at = (uintptr_t)*place;
    if (!self || !__atomic_load_n(&self->signal_due, __ATOMIC_SEQ_CST))
        return;
    if (at >= (uintptr_t)weft_interruptible_begin && at < (uintptr_t)weft_interruptible_end)
        *place = (greg_t)weft_interruptible_interrupted;
    else if (at >= (uintptr_t)weft_entry_leaving && at < (uintptr_t)weft_entry_left)
        *place = (greg_t)weft_entry_leaving;
}

static void on_signal_in_weft(struct coroutine *self, siginfo_t *info, ucontext_t *interrupted)
{
    if (is_fault(info)) {
        end_process(info->si_signo);
        return;
    }
    bool scarce = true;
    siginfo_t caught = *info;
    int number = info->si_signo, tid = addressee(self, info);
    if (tid < 0)
        return;
    struct weft_signal *signal = weft_signal_take(info, tid, &scarce);
    if (!signal) { /* then the kernel keeps it */
        weft_timer_postpone(&caught, info);
        weft_raw4(SYS_rt_tgsigqueueinfo, weft_raw0(SYS_getpid), weft_raw0(SYS_gettid), number, (long)&caught);
    }
    if (self)
        __atomic_store_n(&self->signal_due, 1, __ATOMIC_SEQ_CST);
    if (signal)
        weft_signal_arrive(signal);
    struct carrier *carrier = this_carrier(self);
    unsigned asleep = WEFT_WAKE_NOT;
    if (!self && carrier) /* perhaps a spare, which goes on sleeping when we return unless this is set */
        atomic_compare_exchange_strong(&carrier->wake, &asleep, WEFT_WAKE_SIGNAL);
    if (scarce && carrier) { /* and keeps what comes until these are distributed */
        *mask_returned_to(interrupted) = ~weft_signal_bit(WEFT_SIGNAL_KICK);
        atomic_store(&carrier->flooded, true);
    }
    redirect(self, interrupted);
}

/*
 * A handler is due and there is no room for its frame. As the kernel does: the program gets SIGSEGV instead,
 * or ends by it.
 */
static void on_no_room(struct coroutine *self, siginfo_t *info, ucontext_t *interrupted)
{
    if (info->si_signo != SIGSEGV && handles(self, SIGSEGV)) {
        *info = (siginfo_t){.si_signo = SIGSEGV, .si_code = SI_KERNEL};
        if (weft_signal_enter_program(self, weft_signal_on_alternate(SIGSEGV), 0, info, interrupted,
                                      on_signal_in_program))
            return;
    }
    weft_action_leave_to_kernel(SIGSEGV);
    weft_raw3(SYS_tgkill, weft_raw0(SYS_getpid), weft_raw0(SYS_gettid), SIGSEGV);
    *mask_returned_to(interrupted) &= ~weft_signal_bit(SIGSEGV);
}

void weft_on_signal(int number, siginfo_t *info, void *context)
{
    struct coroutine *self = weft_current;
    if (!self || self->in_hook) {
        on_signal_in_weft(self, info, context);
        return;
    }
    bool fault = is_fault(info);
    if (fault && !handles(self, number)) {
        end_process(number);
        return;
    }
    if (weft_signal_enter_program(self, weft_signal_on_alternate(number), fault ? 0 : ROOM_TO_SEND, info,
                                  context, on_signal_in_program))
        return;
    if (fault)
        on_no_room(self, info, context);
    else
        on_signal_in_weft(self, info, context); /* it may be for another thread; if not, we are kicked */
}

static void on_kick_in_program(int number, siginfo_t *info, void *context)
{
    struct weft_delivery delivery = {.self = weft_current, .interrupted = context};
    (void)number, (void)info;
    begin_in_program(&delivery);
    end_in_program(&delivery);
}

static void on_due(struct coroutine *self, siginfo_t *info, ucontext_t *interrupted)
{
    uint64_t set = weft_signals_handled(self);
    bool on_alternate = set && weft_signal_on_alternate(__builtin_ctzll(set) + 1);
    if (weft_signal_enter_program(self, on_alternate, 0, info, interrupted, on_kick_in_program))
        return;
    siginfo_t lost;
    while (weft_signal_next_handled(self, &lost))
        if (weft_signal_disposition(lost.si_signo) != WEFT_DISPOSITION_IGNORE) {
            on_no_room(self, info, interrupted);
            return;
        }
}

/* A look at signal_due, please; or the kernel threads' mask has grown; or the process has other ids. */
void weft_on_kick(int number, siginfo_t *info, void *context)
{
    struct coroutine *self = weft_current;
    (void)number;
    weft_credentials_follow(this_carrier(self));
    weft_errand_serve(this_carrier(self));
    if (self && self->in_hook) {
        weft_hint_set(self->kicked, true);
        redirect(self, context);
    } else if (self) {
        atomic_store(&self->carrier->flooded, false);
        if (__atomic_load_n(&self->signal_due, __ATOMIC_SEQ_CST))
            on_due(self, info, context);
    }
    weft_signal_mask_follow_later(this_carrier(weft_current), mask_returned_to(context));
}
