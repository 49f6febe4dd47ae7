/* SPDX-License-Identifier: MIT */
/*
 * A child that shares our memory, thread pointer included, until it executes something or ends. It sees no
 * coroutine meanwhile (weft_current is NULL), so its calls are the kernel's; its parent waits for it in the
 * kernel, and the parent's processor is handed on.
 *
 * The child of posix_spawn is glibc's own code, with a stack of its own and all signals blocked. That of
 * vfork is the program's, and goes on in the frames of its parent:
 *
 *   1. What is ours on the parent's stack lies below those frames, where the child will write. It is kept
 *      elsewhere meanwhile (shared_clone.S).
 *   2. The child has the parent's signal mask, handlers and alternate stack in the kernel, as natively. Its
 *      actions are its own, so this changes nothing of ours; and weft's handler, which would take the child
 * for one of its kernel threads, is never called there.
 *   3. It may wait for locks of the program's other threads, and they for it. So while it exists private
 * futexes are the kernel's, too: who begins to wait for one does so in the kernel, and a wake goes to both.
 *
 * Contexts: hooks, and the child.
 */
#include "shared_child.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>

#include "../core/futex.h"
#include "../core/monitor.h"
#include "../core/place.h"
#include "../core/slab.h"
#include "../preload/trampoline.h"
#include "descriptor.h"
#include "handler_call.h"
#include "identity.h"
#include "schedule.h"
#include "signal.h"

/* What the child of a vfork needs to know, and keeps for its parent. */
struct vforked {
    struct coroutine *parent;
    struct weft_schedule *schedule; /* NULL: as kernel threads are */
    struct weft_action actions[WEFT_SIGNALS + 1];
    char stack[WEFT_KEPT_STACK];
    void *slab_link;
};

/* shared_clone.S */
long weft_clone_shared(struct weft_call *call, const struct weft_schedule *schedule);
long weft_clone_same_stack(struct weft_call *call, struct vforked *vforked, char *saved);

static struct weft_slab vforked_slab = WEFT_SLAB_OF(struct vforked);
static atomic_uint children; /* of vfork */

/* Around the call. A handler of ours in the child would run on our memory, so all is blocked. */
static void begin(struct coroutine *self)
{
    weft_descriptors_shared();
    weft_kernel_enter(self);
    weft_place_release(self->carrier);
    weft_signal_mask_all(self->carrier);
    weft_current = NULL;
}

static void end(struct coroutine *self)
{
    weft_current = self;
    weft_signal_mask_follow(self->carrier);
    weft_kernel_leave(self);
}

long weft_share_memory(struct weft_call *call)
{
    struct coroutine *self = weft_current;
    struct weft_schedule *schedule = weft_identity_of_child(self);
    begin(self);
    long result = weft_clone_shared(call, schedule);
    end(self);
    weft_schedule_drop(schedule);
    return result;
}

long weft_share_stack(struct weft_call *call)
{
    struct coroutine *self = weft_current;
    struct vforked *vforked = weft_slab_take(&vforked_slab);
    if (!vforked)
        return -ENOMEM;
    vforked->parent = self;
    vforked->schedule = weft_identity_of_child(self);
    weft_actions_copy(vforked->actions);
    atomic_fetch_add(&children, 1);
    atomic_fetch_add(&weft_futexes_in_kernel, 1);
    begin(self);
    long result = weft_clone_same_stack(call, vforked, vforked->stack);
    end(self);
    atomic_fetch_sub(&weft_futexes_in_kernel, 1);
    atomic_fetch_sub(&children, 1);
    weft_schedule_drop(vforked->schedule);
    weft_slab_give(&vforked_slab, vforked);
    return result;
}

/* The child, on the stack of the call: called by shared_clone.S. */
__attribute__((used)) _Noreturn void weft_vforked(const struct weft_call *call,
                                                  const struct vforked *vforked);
_Noreturn void weft_vforked(const struct weft_call *call, const struct vforked *vforked)
{
    const struct coroutine *parent = vforked->parent;
    const struct weft_alternate *alternate = &parent->alternate;
    const stack_t stack = {.ss_sp = (void *)alternate->base,
                           .ss_size = alternate->size,
                           .ss_flags = alternate->size ? (int)alternate->flags : SS_DISABLE};
    gregset_t registers;
    if (vforked->schedule)
        weft_schedule_apply(vforked->schedule, 0);
    weft_actions_to_kernel(vforked->actions);
    weft_raw2(SYS_sigaltstack, (long)&stack, 0);
    weft_call_registers(registers, call, 0);
    registers[REG_RIP] = (greg_t)call->slot_return + (WEFT_SLOT_AFTER - WEFT_SLOT_RETURN);
    weft_raw4(SYS_rt_sigprocmask, SIG_SETMASK, (long)&parent->signal_mask, 0, WEFT_MASK_SIZE);
    weft_handler_leave(registers);
}

bool weft_child_shares_stack(void)
{
    return atomic_load(&children) != 0;
}

void weft_shared_children_restart(void)
{
    atomic_store(&children, 0);
    atomic_store(&weft_futexes_in_kernel, 0);
}
