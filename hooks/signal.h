/* SPDX-License-Identifier: MIT */
/* Signals as the program sees them. The idea stands in core/signal.h. */
#ifndef WEFT_HOOKS_SIGNAL_H
#define WEFT_HOOKS_SIGNAL_H

#include <signal.h>
#include <stdint.h>
#include <ucontext.h>

#include "../core/signal.h"
#include "call.h"

enum { WEFT_SIGNALS = 64, WEFT_MASK_SIZE = 8 };

/* signal_action.c: what the program wants done. */

/* struct sigaction as the kernel has it. */
struct weft_action {
    void *handler;
    unsigned long flags;
    void *restorer;
    uint64_t mask;
};

enum weft_disposition { WEFT_DISPOSITION_DEFAULT, WEFT_DISPOSITION_IGNORE, WEFT_DISPOSITION_HANDLER };

/* What becomes of the signal now. The default action of some is to be ignored. */
enum weft_disposition weft_signal_disposition(int number);

/* True when it has a handler, and that asks for the alternate stack. */
bool weft_signal_on_alternate(int number);

/* The same when it is about to be done: with the action, and SA_RESETHAND carried out. */
enum weft_disposition weft_action_begin(int number, struct weft_action *action);

/* From now on the kernel does by default what the signal says; for one that is about to end the process. */
void weft_action_leave_to_kernel(int number);

/* Signals that a system call raises in its own thread. */
static inline bool weft_signal_raised_by_calls(int number)
{
    return number == SIGPIPE || number == SIGXFSZ;
}

/* All that the program wants done, by number; and then, in a child whose actions are its own and who knows no
 * weft, puts its handlers into the kernel. */
void weft_actions_copy(struct weft_action copy[WEFT_SIGNALS + 1]);
void weft_actions_to_kernel(const struct weft_action copy[WEFT_SIGNALS + 1]);

/* Puts our handlers into the kernel, also in front of those that the program has installed before activation.
 */
void weft_signals_install(void);

/* Once, when weft becomes active, as main: what is pending for main's kernel thread becomes main's. */
void weft_signals_take_over(void);

/* The set of signals that a file of /proc tells of behind the label; 0 when it does not. */
uint64_t weft_signals_in_file(long directory, const char *name, const char *label);

/* signal_descriptor.c: what signalfd tells of. */

/* Once, when weft becomes active: finds out what descriptors there are already. */
void weft_signal_descriptors_find(void);

/* True when some signalfd may tell of the signal, and it waits in the kernel since all threads block it. */
bool weft_signal_descriptors_tell(int number);

/* signal_send.c: queues for the process, in the kernel, what all threads block. Returns 0 or -errno. */
long weft_signal_leave_to_kernel(const siginfo_t *info);

/* In the child of a fork. */
void weft_actions_restart(void);

/* signal.c: what the kernel calls. */
void weft_on_signal(int number, siginfo_t *info, void *context);
void weft_on_kick(int number, siginfo_t *info, void *context);

/* signal_place.c: where a handler shall believe that it has interrupted the program. */

struct weft_slot; /* preload/trampoline.h */

struct weft_place {
    uintptr_t rip, rsp;
};
struct weft_shown {
    struct weft_place actual, seen; /* the same but within a slot or entry.S */
    const struct weft_slot *slot;   /* then, of which site; else NULL */
};

/* Makes the context of program code that the kernel interrupted fit to be shown to handlers. */
void weft_place_show(struct weft_shown *shown, ucontext_t *context);
/* Undoes it. What a handler has made of the place instead stays. */
void weft_place_restore(const struct weft_shown *shown, ucontext_t *context);
/* When the context is to go on at the slot's site, or just behind it: makes it do so. */
void weft_place_enter(const struct weft_slot *slot, ucontext_t *context);

/* signal_delivery.c: running handlers. */

/* The registers of the program behind the call, as the kernel shows them. */
void weft_call_registers(gregset_t registers, const struct weft_call *call, long result);

/* Where handlers are run: at the end of a system call, or where the kernel interrupted the program. */
struct weft_delivery {
    struct coroutine *self;
    const struct weft_call *call; /* NULL: the latter */
    long result;                  /* of the call */
    ucontext_t *interrupted;      /* NULL in a call */
    bool ours; /* the latter is no frame of the kernel's: vector registers are still to be saved */
    struct weft_shown shown; /* its place */
    uintptr_t stack;         /* frames come below this one on the alternate stack; 0: as handlers ask */
    bool inside;             /* of another one: the kernel does not return to `interrupted` */
    bool decided, again;     /* the first handler was found; the call is made again behind it */
    uint64_t ending; /* a signal that ends the process when the kernel returns there; 0: none. Set by us */
};

/*
 * Runs the handler for one signal that is not queued (any more), or does what is done instead; `mask_after`
 * is the mask behind it. Returns whether a handler ran. With in_hook set, on return too. May park.
 */
bool weft_signal_deliver(struct weft_delivery *delivery, siginfo_t *info, uint64_t mask_after);

/* The same for all that is due. */
bool weft_signals_deliver_due(struct weft_delivery *delivery, uint64_t mask_after);

/*
 * Runs `hook` with the signal mask at `mask` (`size` bytes), and the handlers of what that lets in, before
 * the old mask is back: what ppoll, pselect6, epoll_pwait and rt_sigsuspend promise.
 */
long weft_with_signal_mask(struct weft_call *call, const uint64_t *mask, size_t size, weft_hook *hook);

/* The result of such a call: 0, nothing is ready, becomes -EINTR when a signal is due by now, let in by the
 * mask; as natively it ends even this. */
long weft_none_or_signal(long result);

/* signal_restart.c: true when the call, which a signal has ended, is made again behind a handler that was
 * installed with SA_RESTART (signal(7)). */
bool weft_call_restarts(const struct weft_call *call);

/* True when the kernel makes the call again behind any handler. */
bool weft_call_restarts_always(const struct weft_call *call);

/* signal_stack.c */

static inline bool weft_alternate_contains(const struct weft_alternate *alternate, uintptr_t address)
{
    return address - alternate->base < alternate->size;
}

/* A handler has returned that began just below that address: its thread has the alternate stack again that
 * the handler was told of, as the kernel does it, unless the handler was on the present one. */
void weft_alternate_restore(struct coroutine *self, const stack_t *before, uintptr_t stack);

/*
 * True when `size` bytes below `top`, at which nothing is kept, may be written; `top` is 0 for the stack that
 * the caller runs on. An alternate stack ends where it ends. Writes there.
 */
bool weft_signal_has_room(const struct weft_alternate *alternate, uintptr_t top, size_t size);

/*
 * Called with the frame that the kernel has made on the carrier's stack: runs `function` with a copy of it on
 * the stack of `self`, the alternate one when that is asked for and there is one. It returns to the program.
 * False when there is no room for the copy and `further` bytes below it. True when the carrier has no such
 * stack: then `function` was called with the frame as it is.
 */
bool weft_signal_enter_program(struct coroutine *self, bool on_alternate, size_t further, siginfo_t *info,
                               ucontext_t *context, void (*function)(int, siginfo_t *, void *));

/* signal_timer.c */

/* The number with which the kernel's timers signal the process: nobody can block it. */
enum { WEFT_TIMER_CARRIED_BY = 32 };

/* When a timer of ours has fired: makes `info` what the thread shall see and returns its id. 0: no thread's.
 * -1: of a deleted timer. Callable from signal handlers. */
int weft_timer_resolve(siginfo_t *info);

/* What was resolved cannot be passed on now: `carried`, as it was before, is caught again. */
void weft_timer_postpone(const siginfo_t *carried, const siginfo_t *resolved);

/* A timer's signal is delivered: timer_getoverrun tells its count from now on. */
void weft_timer_delivered(const siginfo_t *info);

/* In the child of a fork. */
void weft_timers_restart(void);
void weft_signal_wait_restart(void);

#endif
