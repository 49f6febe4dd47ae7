/* SPDX-License-Identifier: MIT */
/*
 * The life and identity of a thread, as glibc asks the kernel for them.
 *
 * A clone with CLONE_THREAD makes a coroutine whose first act is to return 0 from that very call, on the
 * stack and with the thread pointer that glibc passed. exit ends it. Clones without CLONE_THREAD make
 * processes and go to the kernel.
 */
#include <errno.h>
#include <linux/sched.h>
#include <signal.h>
#include <string.h>

#include "../core/balance.h"
#include "../core/bound.h"
#include "../core/futex.h"
#include "../core/machine.h"
#include "../core/monitor.h"
#include "../core/park.h"
#include "../core/place.h"
#include "../core/signal.h"
#include "../core/stack.h"
#include "../core/trace.h"
#include "call.h"
#include "connect.h"
#include "credentials.h"
#include "descriptor.h"
#include "hooks.h"
#include "identity.h"
#include "mapping.h"
#include "shared_child.h"
#include "signal.h"
#include "tracer.h"
#include "wait.h"

enum { RED_ZONE = WEFT_RED_ZONE };

struct clone_request {
    uint64_t flags;
    uint64_t stack_top;
    uint64_t fs_base;
    int *parent_tid;
    uint32_t *child_tid;
};

/* Makes the coroutine and its first context: a copy of the parent's call at the top of the new stack. */
static long spawn(struct weft_call *call, const struct clone_request *request)
{
    struct coroutine *self = weft_current;
    weft_monitor_start();
    /* Who had this memory before has cleared that word as the last thing he did (`finish`). */
    if (request->child_tid)
        (void)__atomic_load_n(request->child_tid, __ATOMIC_ACQUIRE);
    struct weft_call *copy = (struct weft_call *)(request->stack_top - RED_ZONE - sizeof *copy);
    struct weft_context context;
    memcpy(copy, call, sizeof *copy); /* not in core: a fault may take long */
    weft_context_prepare_call_return(&context, copy, request->fs_base);
    struct carrier *own = NULL;
    if (__builtin_expect(self->bound == WEFT_BOUND_HEIRS, 0) && !(own = weft_bound_carrier()))
        return -EAGAIN;
    struct processor *processor = weft_core_enter(self);
    struct coroutine *child = weft_coroutine_take(processor, 0);
    if (!child) {
        weft_core_leave(self);
        if (own)
            weft_bound_dismiss(own);
        return -EAGAIN;
    }
    if (own)
        weft_bound_give(child, own);
    child->context = context;
    weft_coroutine_bind(child, request->fs_base);
    weft_signal_mask_begin(child, self->signal_mask);
    weft_identity_begin(child, self, request->flags & CLONE_PARENT_SETTID ? request->parent_tid : NULL,
                        request->fs_base);
    child->in_hook = 1;
    if (request->flags & CLONE_CHILD_CLEARTID)
        weft_hint_set(child->clear_child_tid, request->child_tid);
    if (request->flags & CLONE_PARENT_SETTID)
        __atomic_store_n(request->parent_tid, child->tid, __ATOMIC_RELAXED);
    if (request->flags & CLONE_CHILD_SETTID)
        __atomic_store_n(request->child_tid, (uint32_t)child->tid, __ATOMIC_RELAXED);
    int tid = child->tid;
    if (weft_trace_mask & WEFT_TRACE_THREAD) {
        struct weft_line line = {0};
        weft_trace_begin(&line, self);
        weft_line_text(&line, "create ");
        weft_line_number(&line, tid);
        weft_trace_end(&line);
    }
    self->made_thread = true;
    child->state = WEFT_PARKED; /* new: nobody else knows it */
    weft_ready_next(processor, child, 0);
    weft_balance_created(processor);
    weft_core_leave(self);
    return tid;
}

/* The first code of a new coroutine, called by entry.S: it was dispatched in core, as all are. */
__attribute__((used)) void weft_child_started(void);
void weft_child_started(void)
{
    weft_core_leave(weft_current);
}

static bool makes_thread(uint64_t flags)
{
    return (flags & (CLONE_VM | CLONE_THREAD | CLONE_SETTLS)) == (CLONE_VM | CLONE_THREAD | CLONE_SETTLS);
}

/* In the child of a fork: there is one kernel thread, which runs this coroutine and nothing else. */
static void restart_in_child(struct coroutine *self)
{
    if (weft_machine_restart(self) != 0)
        weft_raw1(SYS_exit_group, 127); /* neither epoll nor memory: a fork that fails late */
    weft_identity_restart(self);
    weft_waits_restart();
    weft_tracer_restart();
    weft_set_ids_restart();
    weft_descriptors_restart();
    weft_accepts_restart();
    weft_actions_restart();
    weft_timers_restart();
    weft_signal_wait_restart();
    weft_mapping_restart();
    weft_shared_children_restart();
    weft_descriptors_shared();
}

static long fork_process(struct weft_call *call)
{
    struct coroutine *self = weft_current;
    weft_descriptors_shared();
    weft_tracer_prepare();
    weft_machine_stop();
    weft_stacks_lock();
    weft_place_release(self->carrier);
    long result = weft_call_raw(call);
    weft_stacks_unlock();
    if (result == 0)
        restart_in_child(self);
    else
        weft_machine_release();
    if (result > 0)
        weft_tracer_note(self, (int)result);
    return result;
}

/* A process that shares nothing with ours and begins on a stack of its own. */
static long clone_raw(void)
{
    weft_place_release(weft_current->carrier);
    return WEFT_RAW;
}

WEFT_HOOK(clone)
{
    uint64_t flags = (uint64_t)call->arguments[0];
    if (!makes_thread(flags)) {
        if (flags & CLONE_VM)
            return call->arguments[1] ? weft_share_memory(call) : weft_share_stack(call);
        return call->arguments[1] ? clone_raw() : fork_process(call);
    }
    struct clone_request request = {
        .flags = flags,
        .stack_top = (uint64_t)call->arguments[1],
        .parent_tid = (int *)call->arguments[2],
        .child_tid = (uint32_t *)call->arguments[3],
        .fs_base = (uint64_t)call->arguments[4],
    };
    return spawn(call, &request);
}

WEFT_HOOK(clone3)
{
    const struct clone_args *arguments = (const struct clone_args *)call->arguments[0];
    if (!makes_thread(arguments->flags)) {
        if (arguments->flags & CLONE_VM)
            return arguments->stack ? weft_share_memory(call) : weft_share_stack(call);
        return arguments->stack ? clone_raw() : fork_process(call);
    }
    struct clone_request request = {
        .flags = arguments->flags,
        .stack_top = arguments->stack + arguments->stack_size,
        .parent_tid = (int *)arguments->parent_tid,
        .child_tid = (uint32_t *)arguments->child_tid,
        .fs_base = arguments->tls,
    };
    return spawn(call, &request);
}

WEFT_HOOK(fork)
{
    return fork_process(call);
}

WEFT_HOOK(vfork)
{
    return weft_share_stack(call);
}

/* On the next stack: the thread's own may be gone as soon as its id is cleared. In core. */
static void finish(void *argument)
{
    struct coroutine *self = argument;
    struct processor *processor = self->carrier->processor;
    if (self->clear_child_tid) {
        __atomic_store_n(self->clear_child_tid, 0, __ATOMIC_SEQ_CST);
        weft_futex_wake_changed(processor, self->clear_child_tid, 1, WEFT_FUTEX_ANY);
    }
    weft_signal_mask_end(self);
    weft_coroutine_give(processor, self);
}

WEFT_HOOK(exit)
{
    struct coroutine *self = weft_current;
    (void)call;
    if (weft_trace_mask & WEFT_TRACE_THREAD) {
        struct weft_line line = {0};
        weft_trace_begin(&line, self);
        weft_line_text(&line, "exit");
        weft_trace_end(&line);
    }
    weft_identity_end(self);
    struct processor *processor = weft_core_enter(self);
    weft_futex_release_robust(self, processor);
    /* Who joins us is woken early, to be the one that we switch to: `finish` runs on its stack, before it
     * does. Should another processor take it first, it finds the id not cleared yet and waits again. */
    if (self->clear_child_tid)
        weft_futex_wake_in_core(processor, self->clear_child_tid, 1, WEFT_FUTEX_ANY);
    weft_end(self, finish, self);
}

static void release_robust(struct coroutine *coroutine, void *processor)
{
    weft_futex_release_robust(coroutine, processor);
}

/* The kernel does for the robust locks of its threads what we do for ours: other processes may wait. */
WEFT_HOOK(exit_group)
{
    weft_coroutine_each(release_robust, weft_core_enter(weft_current));
    return weft_call_raw(call);
}

WEFT_HOOK(gettid)
{
    (void)call;
    return weft_current->tid;
}

WEFT_HOOK(set_tid_address)
{
    weft_hint_set(weft_current->clear_child_tid, (uint32_t *)call->arguments[0]);
    return weft_current->tid;
}

WEFT_HOOK(set_robust_list)
{
    if (call->arguments[1] != (long)(3 * sizeof(long))) /* struct robust_list_head */
        return -EINVAL;
    weft_current->robust_list = (void *)call->arguments[0];
    return 0;
}

WEFT_HOOK(get_robust_list)
{
    int tid = (int)call->arguments[0];
    struct coroutine *coroutine = tid ? weft_coroutine_find(tid) : weft_current;
    if (!coroutine)
        return weft_call_raw(call);
    *(void **)call->arguments[1] = coroutine->robust_list;
    *(size_t *)call->arguments[2] = 3 * sizeof(long);
    return 0;
}

/*
 * A restartable sequence belongs to a kernel thread; a coroutine has none of its own. The registration
 * succeeds, since glibc dies otherwise, but the area says what it says when it had failed, so that glibc
 * asks the kernel for the CPU number.
 */
WEFT_HOOK(rseq)
{
    enum { UNREGISTER = 1, CPU_ID = 1, REGISTRATION_FAILED = -2 };
    int32_t *area = (int32_t *)call->arguments[0];
    if (!(call->arguments[2] & UNREGISTER))
        area[CPU_ID] = REGISTRATION_FAILED;
    return 0;
}
