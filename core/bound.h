/* SPDX-License-Identifier: MIT */
/*
 * Bound coroutines: each has a kernel thread of its own.
 *
 * Some of what the kernel keeps for a thread cannot be moved from one kernel thread to another: capabilities,
 * a seccomp filter, the directory after unshare(CLONE_FS), whom it traces. A coroutine that has changed such
 * a thing (hooks/bound.c says what) is bound to the carrier that it did so on: it runs on no other, and that
 * carrier runs nobody else and is the model for no other carrier. Its waits remain ours:
 *
 *     it waits for descriptors, or for what the kernel alone can wait for
 *                   in the kernel; it has no processor then
 *     it parks      its carrier hands the processor on, and sleeps
 *     it is ready   always in the global queue: whoever takes it from there lends its carrier his processor
 *     it leaves     as a hog does: what else its processor has to do goes on elsewhere
 *     it ends       the kernel thread ends, too
 *
 * Those that it creates are bound like it, to clones of its kernel thread, when the kernel would make them
 * inherit what it has. Other carriers are made by the monitor as soon as there is a bound coroutine: it is
 * never bound.
 *
 * The name is Solaris's, whose threads were bound to a process of the kernel or shared some; Go's word is
 * LockOSThread.
 */
#ifndef WEFT_CORE_BOUND_H
#define WEFT_CORE_BOUND_H

#include "processor.h"

/* True from the first bound coroutine of the process on. */
bool weft_bound_ever(void);

/* The kernel thread of `self`, which runs, has state that is for `self` alone; or, with WEFT_BOUND_HEIRS,
 * also for those that it creates. Nothing happens while that kernel thread is the only one: all others will
 * inherit it. In a hook, not in core. */
void weft_bound_begin(struct coroutine *self, enum weft_bound kind);

/* Before the call that will bind `self`: if its kernel thread is the process's first, and `self` is not main,
 * whose that is, or if it has children or traces somebody, who would notice its end, `self` goes on on
 * another one, to which it is bound. weft_bound_release undoes that when the call has failed. In a hook, not
 * in core; may park (reason: processor). */
void weft_bound_leave_shared(struct coroutine *self);
void weft_bound_release(struct coroutine *self);

/* Before a call in which `self`, bound or an event loop, may wait in the kernel: it gives its processor away,
 * if it has one, and then returns true. Behind the call it needs none before it enters core. Not in core. */
bool weft_bound_step_out(struct coroutine *self);

/* In core: `self` ends next, and its kernel thread with it. */
void weft_bound_end(struct coroutine *self);

/* A carrier for a coroutine that the caller creates, with a clone of the caller's kernel thread; NULL when
 * there is none to be had. It is then given to that coroutine, or dismissed. Not in core; does not park. */
struct carrier *weft_bound_carrier(void);
void weft_bound_give(struct coroutine *child, struct carrier *carrier);
void weft_bound_dismiss(struct carrier *carrier);

/* By a carrier in core, on its own stack: `bound` goes on with `processor`, on its own carrier. */
void weft_bound_lend(struct carrier *carrier, struct processor *processor, struct coroutine *bound);

/* By the carrier of a bound coroutine, on its own stack: that has parked or ended. Returns with a processor
 * when it can go on. */
void weft_bound_await(struct carrier *carrier);

/* In the child of a fork: there is one kernel thread. */
void weft_bound_forget(struct coroutine *self);

#endif
