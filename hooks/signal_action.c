/* SPDX-License-Identifier: MIT */
/*
 * What the program wants done with signals.
 *
 * Wherever the program has a handler the kernel has weft_on_signal, which gets all signals blocked and runs
 * on a stack of the carrier (signal_stack.c). Its kernel action always has SA_RESTART: who waits in the
 * kernel is told in another way (interruptible.S), and whom the signal does not concern must not see it. What
 * is ignored or default stays the kernel's: then it acts on the process, as it shall. But not a default
 * signal that a thread's own call raises (SIGPIPE, SIGXFSZ): one thread may block it and go on with the
 * call's error while the kernel thread, which others run on too, does not block it. So weft_on_signal gets
 * it.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "../core/lock.h"
#include "hooks.h"
#include "signal.h"

enum { TIMER = 32, RESTORER = 0x04000000, EXPOSE_TAG_BITS = 0x800 };

static struct weft_action actions[WEFT_SIGNALS + 1]; /* as the program set them */
static struct weft_lock lock;                        /* protects actions[] */

/* handler_call.S. The name is glibc's for its own, by which gdb knows such a place. */
void weft_signal_return(void) __asm__("__restore_rt");

static bool is_handler(const struct weft_action *action)
{
    return action->handler != SIG_DFL && action->handler != SIG_IGN;
}

static bool comes_to_us(int number, const struct weft_action *action)
{
    return is_handler(action) || (weft_signal_raised_by_calls(number) && action->handler == SIG_DFL);
}

static enum weft_disposition disposition_of(int number, const struct weft_action *action)
{
    if (is_handler(action))
        return WEFT_DISPOSITION_HANDLER;
    if (action->handler == SIG_IGN || number == SIGCHLD || number == SIGURG || number == SIGWINCH ||
        number == SIGCONT)
        return WEFT_DISPOSITION_IGNORE;
    return WEFT_DISPOSITION_DEFAULT;
}

static struct weft_action in_kernel(int number, const struct weft_action *action)
{
    struct weft_action kernel = *action;
    if (comes_to_us(number, action)) {
        if (!is_handler(action)) {
            kernel.flags = RESTORER;
            kernel.restorer = (void *)weft_signal_return;
        }
        kernel.handler = (void *)weft_on_signal;
        kernel.flags &= ~(unsigned long)(SA_NODEFER | SA_RESETHAND);
        kernel.flags |= SA_SIGINFO | SA_RESTART | SA_ONSTACK;
        kernel.mask = ~UINT64_C(0);
    }
    return kernel;
}

/* Numbers that glibc keeps for itself: between threads only, and the kernel's part of them is ours. */
static bool kept_from_kernel(int number)
{
    return number == WEFT_SIGNAL_KICK || number == TIMER;
}

static long tell_kernel(int number, const struct weft_action *action)
{
    if (kept_from_kernel(number))
        return 0;
    struct weft_action kernel = in_kernel(number, action);
    return weft_raw4(SYS_rt_sigaction, number, (long)&kernel, 0, WEFT_MASK_SIZE);
}

static struct weft_action action_of(int number)
{
    weft_lock_acquire(&lock);
    struct weft_action action = actions[number];
    weft_lock_release(&lock);
    return action;
}

enum weft_disposition weft_signal_disposition(int number)
{
    struct weft_action action = action_of(number);
    return disposition_of(number, &action);
}

bool weft_signal_on_alternate(int number)
{
    struct weft_action action = action_of(number);
    return is_handler(&action) && action.flags & SA_ONSTACK;
}

void weft_action_leave_to_kernel(int number)
{
    struct weft_action action = {.handler = SIG_DFL};
    weft_raw4(SYS_rt_sigaction, number, (long)&action, 0, WEFT_MASK_SIZE);
}

enum weft_disposition weft_action_begin(int number, struct weft_action *action)
{
    weft_lock_acquire(&lock);
    *action = actions[number];
    if (is_handler(action) && action->flags & SA_RESETHAND) {
        actions[number].handler = SIG_DFL;
        tell_kernel(number, &actions[number]);
    }
    weft_lock_release(&lock);
    return disposition_of(number, action);
}

/* What the kernel would remember of it. */
static struct weft_action cleaned(const struct weft_action *action)
{
    const unsigned long supported = SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_ONSTACK | SA_RESTART |
                                    SA_NODEFER | (unsigned)SA_RESETHAND | RESTORER | EXPOSE_TAG_BITS;
    struct weft_action result = *action;
    result.flags &= supported;
    result.mask &= ~WEFT_SIGNALS_UNBLOCKABLE;
    return result;
}

WEFT_HOOK(rt_sigaction)
{
    int number = (int)call->arguments[0];
    const struct weft_action *wanted = (const struct weft_action *)call->arguments[1];
    struct weft_action *old = (struct weft_action *)call->arguments[2];
    if (number < 1 || number > WEFT_SIGNALS || number == SIGKILL || number == SIGSTOP ||
        call->arguments[3] != WEFT_MASK_SIZE)
        return weft_call_raw(call);
    struct weft_action next = wanted ? cleaned(wanted) : (struct weft_action){0};
    weft_lock_acquire(&lock);
    struct weft_action before = actions[number];
    long result = wanted ? tell_kernel(number, &next) : 0;
    if (wanted && result == 0)
        actions[number] = next;
    weft_lock_release(&lock);
    if (wanted && result == 0 && disposition_of(number, &next) == WEFT_DISPOSITION_IGNORE)
        weft_signals_discard(number);
    if (old && result == 0)
        *old = before;
    return result;
}

static void install_ours(int number, void (*handler)(int, siginfo_t *, void *))
{
    struct weft_action action = {
        .handler = (void *)handler,
        .flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK | RESTORER,
        .restorer = (void *)weft_signal_return,
        .mask = ~UINT64_C(0),
    };
    weft_raw4(SYS_rt_sigaction, number, (long)&action, 0, WEFT_MASK_SIZE);
}

void weft_signals_install(void)
{
    for (int number = 1; number <= WEFT_SIGNALS; number++) {
        struct weft_action *action = &actions[number];
        if (weft_raw4(SYS_rt_sigaction, number, 0, (long)action, WEFT_MASK_SIZE) != 0)
            continue;
        if (comes_to_us(number, action))
            tell_kernel(number, action);
    }
    install_ours(WEFT_SIGNAL_KICK, weft_on_kick);
    install_ours(TIMER, weft_on_signal);
}

void weft_actions_copy(struct weft_action copy[WEFT_SIGNALS + 1])
{
    weft_lock_acquire(&lock);
    memcpy(copy, actions, sizeof actions);
    weft_lock_release(&lock);
}

void weft_actions_to_kernel(const struct weft_action copy[WEFT_SIGNALS + 1])
{
    for (int number = 1; number <= WEFT_SIGNALS; number++)
        if (comes_to_us(number, &copy[number]))
            weft_raw4(SYS_rt_sigaction, number, (long)&copy[number], 0, WEFT_MASK_SIZE);
}

void weft_actions_restart(void)
{
    lock = (struct weft_lock){0};
}
