/* SPDX-License-Identifier: MIT */
/*
 * Alternate signal stacks: each coroutine's own, though the kernel knows one for each kernel thread.
 *
 * A carrier's kernel thread has an alternate stack of its own for good, so a switch between coroutines costs
 * nothing. The kernel enters us there, whatever the program's handler asks for: so what interrupts weft, or
 * concerns others, needs no room on the coroutine's stack, as natively. Where it is for program code that was
 * interrupted we stay only for as long as it takes to copy the frame that the kernel has made to where the
 * kernel would have made it: to the coroutine's alternate stack, or below its red zone. It then goes on, and
 * returns, by the copy. A stack that has overflown is thus no obstacle.
 *
 *      carrier's stack for signals              coroutine's alternate stack
 *     ┌──────────────────────────┐             ┌──────────────────────────┐
 *     │ floating-point state     │             │ floating-point state     │  64-byte aligned
 *     │ siginfo                  │  ── copy ─► │ siginfo                  │
 *     │ ucontext                 │             │ ucontext ────────────────┤  points to the state
 *     │ address of rt_sigreturn  │             │ address of rt_sigreturn  │ ◄── rsp in the handler
 *     └──────────────────────────┘             └──────────────────────────┘
 */
#include <errno.h>
#include <string.h>

#include "../core/carrier.h"
#include "handler_call.h"
#include "hooks.h"
#include "signal.h"
#include "user.h"

enum { LEGACY_STATE = 512, MAGIC_AT = 464, MAGIC = 0x46505853, LEAST = 2048 };

/* Bytes of the state that the kernel has saved (struct _fpx_sw_bytes of the kernel). */
static size_t state_size(const void *state)
{
    uint32_t software[2];
    memcpy(software, (const char *)state + MAGIC_AT, sizeof software);
    return software[0] == MAGIC && software[1] >= LEGACY_STATE ? software[1] : LEGACY_STATE;
}

/* Asks the kernel as it would find out itself: by writing. A stack that grows does so. */
static bool writable(uintptr_t low, uintptr_t high)
{
    enum { PAGE = 4096 };
    for (uintptr_t address = low & ~UINT64_C(7); address + WEFT_MASK_SIZE <= high;
         address = (address | (PAGE - 1)) + 1)
        if (weft_raw4(SYS_rt_sigprocmask, SIG_BLOCK, 0, (long)address, WEFT_MASK_SIZE) != 0)
            return false;
    return true;
}

bool weft_signal_enter_program(struct coroutine *self, bool on_alternate, size_t further, siginfo_t *info,
                               ucontext_t *context, void (*function)(int, siginfo_t *, void *))
{
    if (!weft_alternate_contains(&self->carrier->alternate, (uintptr_t)context)) {
        function(info->si_signo, info, context);
        return true;
    }
    const struct weft_alternate *alternate = &self->alternate;
    uintptr_t top = (uintptr_t)context->uc_mcontext.gregs[REG_RSP], limit = 0;
    bool on_it = weft_alternate_contains(alternate, top - 1);
    if (on_it || (on_alternate && alternate->size))
        limit = alternate->base;
    if (limit && !on_it)
        top = alternate->base + alternate->size;
    else
        top -= WEFT_RED_ZONE;
    char *frame = (char *)context - sizeof(void *);
    size_t size = (size_t)((char *)(info + 1) - frame);
    void *state = context->uc_mcontext.fpregs;
    size_t state_bytes = state ? state_size(state) : 0;
    uintptr_t state_copy = (top - state_bytes) & ~UINT64_C(63);
    uintptr_t copy = ((state_copy - size) & ~UINT64_C(15)) - sizeof(void *);
    uintptr_t low = copy - further;
    if (low < limit || low > top || !writable(low, top))
        return false;
    memcpy((void *)state_copy, state, state_bytes);
    memcpy((void *)copy, frame, size);
    ucontext_t *context_copy = (ucontext_t *)(copy + sizeof(void *));
    if (state)
        context_copy->uc_mcontext.fpregs = (fpregset_t)state_copy;
    weft_handler_continue((void *)copy, info->si_signo, (siginfo_t *)(copy + ((char *)info - frame)),
                          context_copy, function);
}

WEFT_HOOK(sigaltstack)
{
    struct coroutine *self = weft_current;
    const stack_t *wanted = (const stack_t *)call->arguments[0];
    stack_t *old = (stack_t *)call->arguments[1], next;
    struct weft_alternate before = self->alternate;
    bool on_it = weft_alternate_contains(&before, (uintptr_t)(call + 1) + WEFT_RED_ZONE);
    if (wanted) {
        if (!weft_user_read(&next, wanted, sizeof next))
            return -EFAULT;
        if (on_it)
            return -EPERM;
        unsigned mode = (unsigned)next.ss_flags & ~WEFT_AUTODISARM;
        if (mode != SS_DISABLE && mode != SS_ONSTACK && mode != 0)
            return -EINVAL;
        if (mode == SS_DISABLE)
            self->alternate = (struct weft_alternate){0};
        else if (next.ss_size < LEAST)
            return -ENOMEM;
        else
            self->alternate = (struct weft_alternate){(uintptr_t)next.ss_sp, next.ss_size,
                                                      (uint32_t)next.ss_flags & WEFT_AUTODISARM};
    }
    if (old) {
        *old = (stack_t){.ss_sp = (void *)before.base, .ss_size = before.size};
        old->ss_flags = (int)before.flags | (!before.size ? SS_DISABLE : on_it ? SS_ONSTACK : 0);
    }
    return 0;
}
