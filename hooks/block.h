/* SPDX-License-Identifier: MIT */
/*
 * Calls that only the kernel can wait for. They block a carrier, as they would have blocked a thread; its
 * processor is handed on so that nobody else waits with it.
 */
#ifndef WEFT_HOOKS_BLOCK_H
#define WEFT_HOOKS_BLOCK_H

#include "../core/lone.h"
#include "call.h"

/* Executes the call in the kernel, however long it takes. The processor is free for others meanwhile.
 * May park afterwards (reason: processor). */
long weft_block_in_kernel(const struct weft_call *call);

/* The same for what no signal interrupts. */
long weft_block_for_disk(const struct weft_call *call);

/* When the caller is the only one that its processor has had to run lately, or is bound, executes the call,
 * which waits for descriptors, in the kernel as it is and returns true. Else returns false. May park (reason:
 * processor). See core/lone.h, core/bound.h. */
static inline bool weft_block_alone_likely(const struct coroutine *self)
{
    return weft_lone_likely(self) | (self->bound != WEFT_UNBOUND) | self->loop_out;
}
bool weft_block_alone_now(const struct weft_call *call, long *result);
static inline bool weft_block_alone(const struct weft_call *call, long *result)
{
    return __builtin_expect(weft_block_alone_likely(weft_current), 0) && weft_block_alone_now(call, result);
}

/* fcntl(fd, F_SETLKW or F_OFD_SETLKW, lock). The same. */
long weft_block_on_record_lock(const struct weft_call *call);

/* The same for one that mostly does not wait, or not for long. Does not park, but afterwards the processor
 * may be another's. */
long weft_block_briefly(const struct weft_call *call);

/* The two for calls that job control may stop, or end by SIGTTIN or SIGTTOU. */
long weft_block_under_job_control(const struct weft_call *call, bool briefly);

/* Executes the call in the kernel; -EINTR when a signal is due for `self`, the running coroutine. */
long weft_call_interruptible(const struct weft_call *call, struct coroutine *self);

#endif
