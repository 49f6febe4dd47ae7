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
static inline __attribute__((always_inline)) bool has_room(uintptr_t limit, uintptr_t low, uintptr_t top)
{
    enum { PAGE = 4096 };
    if (low < limit || low > top)
        return false;
    for (uintptr_t address = low & ~UINT64_C(7); address + WEFT_MASK_SIZE <= top;
         address = (address | (PAGE - 1)) + 1)
        if (weft_raw4(SYS_rt_sigprocmask, SIG_BLOCK, 0, (long)address, WEFT_MASK_SIZE) != 0)
            return false;
    return true;
}

/* Where the alternate stack ends, for who is on it; 0 for others. */
static inline uintptr_t limit_of(const struct weft_alternate *alternate, uintptr_t top)
{
    return weft_alternate_contains(alternate, top - 1) ? alternate->base : 0;
}

/* Calls nothing: that would run where it writes. */
bool weft_signal_has_room(const struct weft_alternate *alternate, uintptr_t top, size_t size)
{
    if (top)
        return has_room(limit_of(alternate, top), top - size, top);
    __asm__ volatile("movq %%rsp, %0" : "=r"(top));
    return has_room(limit_of(alternate, top), top - WEFT_RED_ZONE - size, top - WEFT_RED_ZONE);
}

bool weft_signal_enter_program(struct coroutine *self, bool on_alternate, size_t further, siginfo_t *info,
                               ucontext_t *context, void (*function)(int, siginfo_t *, void *))
{
    if (!weft_alternate_contains(&self->carrier->alternate, (uintptr_t)context)) {
        function(info->si_signo, info, context);
        return true;
    }
    const struct weft_alternate *alternate = &self->alternate;
    uintptr_t top = (uintptr_t)context->uc_mcontext.gregs[REG_RSP], limit = limit_of(alternate, top);
    if (on_alternate && alternate->size && !limit) {
        limit = alternate->base;
        top = limit + alternate->size;
    } else {
        top -= WEFT_RED_ZONE;
    }
    char *frame = (char *)context - sizeof(void *);
    size_t size = (size_t)((char *)(info + 1) - frame);
    void *state = context->uc_mcontext.fpregs;
    size_t state_bytes = state ? state_size(state) : 0;
    uintptr_t state_copy = (top - state_bytes) & ~UINT64_C(63);
    uintptr_t copy = ((state_copy - size) & ~UINT64_C(15)) - sizeof(void *);
    if (!has_room(limit, copy - further, top))
        return false;
    memcpy((void *)state_copy, state, state_bytes);
    memcpy((void *)copy, frame, size);
    ucontext_t *context_copy = (ucontext_t *)(copy + sizeof(void *));
    if (state)
        context_copy->uc_mcontext.fpregs = (fpregset_t)state_copy;
    weft_handler_continue((void *)copy, info->si_signo, (siginfo_t *)(copy + ((char *)info - frame)),
                          context_copy, function);
}

/* Returns 0 or -errno. */
static long set_alternate(struct coroutine *self, const stack_t *next)
{
    unsigned mode = (unsigned)next->ss_flags & ~WEFT_AUTODISARM;
    if (mode != SS_DISABLE && mode != SS_ONSTACK && mode != 0)
        return -EINVAL;
    if (mode == SS_DISABLE)
        self->alternate = (struct weft_alternate){0};
    else if (next->ss_size < LEAST)
        return -ENOMEM;
    else
        self->alternate = (struct weft_alternate){(uintptr_t)next->ss_sp, next->ss_size,
                                                  (uint32_t)next->ss_flags & WEFT_AUTODISARM};
    return 0;
}

void weft_alternate_restore(struct coroutine *self, const stack_t *before, uintptr_t stack)
{
    if (!weft_alternate_contains(&self->alternate, stack - 1))
        set_alternate(self, before);
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
        long result = on_it ? -EPERM : set_alternate(self, &next);
        if (result != 0)
            return result;
    }
    if (old) {
        *old = (stack_t){.ss_sp = (void *)before.base, .ss_size = before.size};
        old->ss_flags = (int)before.flags | (!before.size ? SS_DISABLE : on_it ? SS_ONSTACK : 0);
    }
    return 0;
}
