/* SPDX-License-Identifier: MIT */
/*
 * Running the program's handlers.
 *
 * A handler runs on a stack of its coroutine, in two places: at the end of a system call, which it may
 * have ended, and in the frame of a kernel signal that interrupted the program. In the first the kernel is
 * not involved: what the handler gets is made here, where the kernel would have made it, and the vector
 * registers, which a system call preserves, are saved and restored (handler_call.S). We ourselves stay on the
 * stack that the call was made on: of that entry.S has made sure there is enough.
 *
 *      ┌────────────────────────┐
 *      │ floating-point state   │  64-byte aligned
 *      │ siginfo                │
 *      │ ucontext               │  ends behind the mask
 *      └────────────────────────┘ ◄── on the alternate stack the handler begins here
 *
 * When several signals are due the kernel makes a frame for each before any handler runs: the last one's
 * handler runs first, as far as the masks allow. So does this: what is due still when a handler is about to
 * run is delivered before, inside.
 */
#include <cpuid.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "../core/park.h"
#include "../preload/trampoline.h"
#include "handler_call.h"
#include "hooks.h"
#include "signal.h"

enum {
    LEGACY_STATE = 512,
    STATE_HEADER = 64,
    STATE_ALIGNMENT = 64,
    SYSCALL_LENGTH = 2,
    SEGMENTS = REG_CSGSFS, /* from here on the registers are none that a handler may change */
    VECTORS = 0xe6,        /* SSE, AVX, AVX-512: what functions change; and the x87 state with them */
    KERNEL_CONTEXT = offsetof(ucontext_t, uc_sigmask) + WEFT_MASK_SIZE,
    INFO_AT = KERNEL_CONTEXT,
    STATE_AT = (INFO_AT + sizeof(siginfo_t) + STATE_ALIGNMENT - 1) & ~(STATE_ALIGNMENT - 1),
    ROOM_FOR_US = 2048, /* bytes below a frame, before its handler runs; 1.3 KiB by -fstack-usage */
    /* Returned within weft by a call whose handlers have run already; it ends with EINTR. */
    HANDLED = -516
};

/* The part of the processor's state that is to be kept across a handler, and its size. */
struct state {
    uint32_t features;
    uint32_t size;
};

static struct state ask_the_processor(void)
{
    uint32_t a, b, c, d, low, high;
    struct state state = {0, LEGACY_STATE};
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE))
        return state;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    (void)high;
    state.size = LEGACY_STATE + STATE_HEADER;
    for (uint32_t feature = 2; feature < 8; feature++)
        if (low & VECTORS & 1u << feature) {
            __cpuid_count(13, feature, a, b, c, d);
            if (a + b > state.size)
                state.size = a + b;
        }
    state.features = 1 | (low & VECTORS);
    return state;
}

/* Known as a whole or not at all: several threads may run their first handlers at the same time. */
static struct state state_to_keep(void)
{
    static _Atomic uint64_t known; /* features, and the size above them; 0: not known yet */
    uint64_t word = atomic_load_explicit(&known, memory_order_relaxed);
    if (!word) {
        struct state asked = ask_the_processor();
        word = (uint64_t)asked.size << 32 | asked.features;
        atomic_store_explicit(&known, word, memory_order_relaxed);
    }
    return (struct state){(uint32_t)word, (uint32_t)(word >> 32)};
}

void weft_call_registers(gregset_t registers, const struct weft_call *call, long result)
{
    memset(registers, 0, sizeof(gregset_t));
    registers[REG_RDI] = call->arguments[0];
    registers[REG_RSI] = call->arguments[1];
    registers[REG_RDX] = call->arguments[2];
    registers[REG_R10] = call->arguments[3];
    registers[REG_R8] = call->arguments[4];
    registers[REG_R9] = call->arguments[5];
    registers[REG_RBX] = call->preserved[0];
    registers[REG_RBP] = call->preserved[1];
    registers[REG_R12] = call->preserved[2];
    registers[REG_R13] = call->preserved[3];
    registers[REG_R14] = call->preserved[4];
    registers[REG_R15] = call->preserved[5];
    registers[REG_RAX] = result;
    registers[REG_RCX] = registers[REG_RIP] = (greg_t)call->site_next;
    registers[REG_RSP] = (greg_t)(call + 1) + WEFT_RED_ZONE;
    registers[REG_R11] = registers[REG_EFL] = 0x202;
    registers[REG_CSGSFS] = 0x002b000000000033;
}

/*
 * The same before the call when it is made again. glibc 2.41 tells by this, and by nothing else, whether a
 * cancelled thread was waiting: the place of a call that is made again lies within __syscall_cancel_arch, the
 * end of one does not.
 */
static void make_registers(gregset_t registers, const struct weft_delivery *delivery)
{
    weft_call_registers(registers, delivery->call, delivery->result);
    if (delivery->again) {
        registers[REG_RAX] = delivery->call->number;
        registers[REG_RIP] -= SYSCALL_LENGTH;
    }
}

/* True when a handler wants the program to go on in another way than its call would. */
static __attribute__((noinline)) bool changed(const ucontext_t *context, const struct weft_delivery *delivery)
{
    gregset_t registers;
    make_registers(registers, delivery);
    return memcmp(context->uc_mcontext.gregs, registers, SEGMENTS * sizeof registers[0]) != 0;
}

/* As in the kernel the first handler tells whether the call is made again behind it. */
static void decide(struct weft_delivery *delivery, const struct weft_action *action)
{
    if (!delivery->call || delivery->decided)
        return;
    delivery->decided = true;
    delivery->again =
        delivery->result == -EINTR && (weft_call_restarts_always(delivery->call) ||
                                       (action->flags & SA_RESTART && weft_call_restarts(delivery->call)));
}

static bool leaves_core(int number)
{
    const uint64_t set = weft_signal_bit(SIGQUIT) | weft_signal_bit(SIGILL) | weft_signal_bit(SIGTRAP) |
                         weft_signal_bit(SIGABRT) | weft_signal_bit(SIGFPE) | weft_signal_bit(SIGSEGV) |
                         weft_signal_bit(SIGBUS) | weft_signal_bit(SIGSYS) | weft_signal_bit(SIGXCPU) |
                         weft_signal_bit(SIGXFSZ);
    return set & weft_signal_bit(number);
}

/*
 * Leaves it to the kernel, which acts on the process: ends it, stops it. A core file shall show the place
 * that the kernel interrupted: there the signal stays pending until the kernel has gone back to it.
 */
static void act_by_default(struct weft_delivery *delivery, int number)
{
    struct coroutine *self = delivery->self;
    uint64_t bit = weft_signal_bit(number);
    if (weft_signal_raised_by_calls(number)) /* which are ours even then; they end the process */
        weft_action_leave_to_kernel(number);
    if (delivery->interrupted && !delivery->inside && leaves_core(number)) {
        weft_signal_mask_all(self->carrier);
        weft_raw3(SYS_tgkill, weft_raw0(SYS_getpid), weft_raw0(SYS_gettid), number);
        delivery->ending = bit;
        return;
    }
    weft_raw4(SYS_rt_sigprocmask, SIG_UNBLOCK, (long)&bit, 0, WEFT_MASK_SIZE);
    weft_raw3(SYS_tgkill, weft_raw0(SYS_getpid), weft_raw0(SYS_gettid), number);
    self->carrier->kernel_mask = ~UINT64_C(0);
    weft_signal_mask_follow(self->carrier);
}

/* `stack`: where the handler's begins; 0: below us. */
static void call_handler(const struct weft_delivery *delivery, const struct weft_action *action,
                         siginfo_t *info, ucontext_t *context, uintptr_t stack, uint32_t features)
{
    struct coroutine *self = delivery->self;
    struct weft_handler_call call = {
        .function = (weft_handler_function *)action->handler,
        .info = info,
        .context = context,
        .stack = stack,
        .state = delivery->call || delivery->ours ? context->uc_mcontext.fpregs : NULL,
        .number = info->si_signo,
        .features = features,
    };
    self->in_hook = 0;
    self->restarted = false;
    weft_handler_call(&call);
    self->in_hook = 1;
    weft_alternate_restore(self, &context->uc_stack, stack ? stack : (uintptr_t)&call);
}

/* Inside of another delivery: the handlers get a copy of the context, what they change there is lost. Mostly
 * there is nothing, so what this takes of the stack is not taken by the other. `stack`: as for a delivery. */
static __attribute__((noinline)) void deliver_inside(const struct weft_delivery *outer, uintptr_t stack)
{
    struct coroutine *self = outer->self;
    siginfo_t next;
    if (!weft_signal_next_handled(self, &next))
        return;
    struct weft_delivery inside = *outer;
    _Alignas(ucontext_t) char copy[KERNEL_CONTEXT];
    inside.inside = true;
    inside.stack = stack;
    if (outer->interrupted)
        inside.interrupted = memcpy(copy, outer->interrupted, sizeof copy);
    do
        weft_signal_deliver(&inside, &next, self->signal_mask);
    while (weft_signal_next_handled(self, &next));
}

/* The alternate stack, or the frame on it, below which the handler's frame comes; 0: it comes below us. */
static uintptr_t stack_for(const struct weft_delivery *delivery, const struct weft_action *action)
{
    const struct weft_alternate *alternate = &delivery->self->alternate;
    if (delivery->stack)
        return delivery->stack;
    if (!(action->flags & SA_ONSTACK) || !alternate->size ||
        weft_alternate_contains(alternate, (uintptr_t)__builtin_frame_address(0)))
        return 0;
    return alternate->base + alternate->size;
}

/* There is no room for a handler's frame. As the kernel does: SIGSEGV comes instead, or ends the process. */
static bool on_no_room(struct weft_delivery *delivery, int number, uint64_t mask_after)
{
    siginfo_t fault = {.si_signo = SIGSEGV, .si_code = SI_KERNEL};
    if (number == SIGSEGV || delivery->self->signal_mask & weft_signal_bit(SIGSEGV) ||
        weft_signal_disposition(SIGSEGV) != WEFT_DISPOSITION_HANDLER) {
        weft_action_leave_to_kernel(SIGSEGV);
        act_by_default(delivery, SIGSEGV);
        return false;
    }
    return weft_signal_deliver(delivery, &fault, mask_after);
}

/*
 * Leaves the call for what a handler has made of the context. Who is signalled when in_hook is clear runs his
 * handlers here, as anywhere in the program; so one look after that finds all that came before.
 */
static _Noreturn void go_on_by(ucontext_t *context, const struct weft_delivery *left, uintptr_t stack)
{
    struct coroutine *self = left->self;
    const struct weft_slot *slot = (const void *)((uintptr_t)left->call->slot_return - WEFT_SLOT_RETURN);
    struct weft_delivery delivery = {
        .self = self, .interrupted = context, .ours = true, .stack = stack, .inside = true};
    for (;;) {
        self->in_hook = 0;
        atomic_signal_fence(memory_order_seq_cst);
        if (!__atomic_load_n(&self->signal_due, __ATOMIC_SEQ_CST))
            break;
        self->in_hook = 1;
        weft_signals_deliver_due(&delivery, self->signal_mask);
    }
    weft_place_enter(slot, context);
    weft_handler_leave(context->uc_mcontext.gregs);
}

bool weft_signal_deliver(struct weft_delivery *delivery, siginfo_t *info, uint64_t mask_after)
{
    struct coroutine *self = delivery->self;
    int number = info->si_signo;
    struct weft_action action;
    switch (weft_action_begin(number, &action)) {
    case WEFT_DISPOSITION_IGNORE:
        return false;
    case WEFT_DISPOSITION_DEFAULT:
        act_by_default(delivery, number);
        return false;
    default:
        break;
    }
    if (info->si_code == SI_TIMER)
        weft_timer_delivered(info);
    const struct state state = state_to_keep();
    decide(delivery, &action);

    uintptr_t stack = stack_for(delivery, &action);
    const size_t size = delivery->call ? STATE_AT + state.size + STATE_ALIGNMENT : 0;
    if (size && !weft_signal_has_room(&self->alternate, stack, stack ? size : size + ROOM_FOR_US))
        return on_no_room(delivery, number, mask_after);
    ucontext_t *context = delivery->interrupted;
    uint64_t below_us[size && !stack ? size / sizeof(uint64_t) : 1];
    if (size) {
        uintptr_t low = stack ? stack - size : (uintptr_t)below_us;
        char *frame = (char *)((low + STATE_ALIGNMENT - 1) & ~(uintptr_t)(STATE_ALIGNMENT - 1));
        context = (ucontext_t *)frame;
        memset(context, 0, KERNEL_CONTEXT);
        make_registers(context->uc_mcontext.gregs, delivery);
        info = memcpy(frame + INFO_AT, info, sizeof *info);
        context->uc_mcontext.fpregs =
            memset(frame + STATE_AT, 0, LEGACY_STATE + (state.features ? STATE_HEADER : 0));
        if (stack)
            stack = (uintptr_t)frame;
    }
    context->uc_stack = (stack_t){.ss_sp = (void *)self->alternate.base,
                                  .ss_size = self->alternate.size,
                                  .ss_flags = self->alternate.size ? (int)self->alternate.flags : SS_DISABLE};
    *(uint64_t *)&context->uc_sigmask = mask_after;
    if (self->alternate.flags & WEFT_AUTODISARM)
        self->alternate = (struct weft_alternate){0};

    weft_signal_mask_add(self, action.mask | (action.flags & SA_NODEFER ? 0 : weft_signal_bit(number)));
    /* On the alternate stack there is room for handlers, but perhaps not here for us: then they run later. */
    if (weft_signals_handled(self) && (!stack || weft_signal_has_room(&self->alternate, 0, ROOM_FOR_US)))
        deliver_inside(delivery, stack);
    call_handler(delivery, &action, info, context, stack, state.features);
    weft_signal_mask_set(self, *(uint64_t *)&context->uc_sigmask & ~WEFT_SIGNALS_UNBLOCKABLE);
    if (size && !delivery->inside && changed(context, delivery))
        go_on_by(context, delivery, stack);
    return true;
}

bool weft_signals_deliver_due(struct weft_delivery *delivery, uint64_t mask_after)
{
    struct coroutine *self = delivery->self;
    bool handled = false;
    siginfo_t info;
    __atomic_store_n(&self->signal_due, 0, __ATOMIC_SEQ_CST);
    weft_signals_settle(self); /* what a call of its own has caused is handled before that call returns */
    weft_signal_mask_follow(self->carrier);
    while (!delivery->ending && weft_signal_next_handled(self, &info)) {
        handled |= weft_signal_deliver(delivery, &info, mask_after);
        mask_after = self->signal_mask;
    }
    return handled;
}

/*
 * Called by entry.S when signals are due at the end of a hook that returned `result`; it looks again behind
 * us. So a call that handlers have ended may come here once more, perhaps for nothing, and stays ended.
 */
__attribute__((used)) long weft_signals_at_exit(struct weft_call *call, long result);
long weft_signals_at_exit(struct weft_call *call, long result)
{
    struct coroutine *self = weft_current;
    bool ended = call->number == WEFT_CALL_ENDED;
    struct weft_delivery delivery = {.self = self, .call = call, .result = result, .decided = ended};
    bool handled = weft_signals_deliver_due(&delivery, self->signal_mask);
    if (ended || (result != -EINTR && result != HANDLED))
        return result;
    /* Nothing: it was ended for a signal that another thread has taken, or that is ignored by now. */
    if (result == -EINTR && (!handled || delivery.again)) {
        self->restarted = !handled;
        result = weft_hooks[call->number](call);
        self->restarted = false;
        return result;
    }
    call->number = WEFT_CALL_ENDED;
    return -EINTR;
}

long weft_with_signal_mask(struct weft_call *call, const uint64_t *mask, size_t size, weft_hook *hook)
{
    struct coroutine *self = weft_current;
    if (size != WEFT_MASK_SIZE)
        return -EINVAL;
    struct weft_delivery delivery = {.self = self, .call = call, .result = -EINTR};
    uint64_t before = self->signal_mask, during = *mask & ~WEFT_SIGNALS_UNBLOCKABLE;
    long result;
    do {
        weft_signal_mask_set(self, during);
        result = hook(call);
        /* What was blocked before is let in only when it has ended the call. */
    } while (result == -EINTR && !weft_signals_deliver_due(&delivery, before));
    weft_signal_mask_set(self, before);
    if (result != -EINTR)
        return result;
    __atomic_store_n(&self->signal_due, 1, __ATOMIC_SEQ_CST);
    return HANDLED;
}

long weft_none_or_signal(long result)
{
    struct coroutine *self = weft_current;
    if (result != 0)
        return result;
    weft_signals_settle(self);
    return weft_signals_handled(self) ? -EINTR : 0;
}
