/* SPDX-License-Identifier: MIT */
/*
 * Most calls here have a way to say "do not wait", which tells whether the processor must be given away at
 * all. Where the kernel's way takes a time-out, one that is over is given.
 */
#include "block.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <time.h>

#include "../core/bound.h"
#include "../core/event_loop.h"
#include "../core/monitor.h"
#include "../core/signal_mask.h"
#include "deadline.h"
#include "hooks.h"
#include "user.h"

/* It is made again unless a handler runs, see weft_signals_at_exit. */
static long until_signal(const struct weft_call *call, struct coroutine *self)
{
    weft_hint_set(self->kicked, false);
    long result = weft_call_interruptible(call, self);
    if (result == -EINTR && self->kicked)
        __atomic_store_n(&self->signal_due, 1, __ATOMIC_SEQ_CST);
    return result;
}

long weft_block_in_kernel(const struct weft_call *call)
{
    struct coroutine *self = weft_current;
    weft_kernel_enter(self);
    long result = until_signal(call, self);
    weft_kernel_leave(self);
    return result;
}

long weft_block_briefly(const struct weft_call *call)
{
    struct coroutine *self = weft_current;
    weft_kernel_brief_begin(self);
    long result = until_signal(call, self);
    weft_kernel_brief_end(self);
    return result;
}

long weft_block_under_job_control(const struct weft_call *call, bool briefly)
{
    struct coroutine *self = weft_current;
    if (!briefly)
        weft_kernel_enter(self);
    else
        weft_kernel_brief_begin(self);
    weft_signal_mask_lend(self);
    long result = until_signal(call, self);
    weft_signal_mask_unlend(self);
    if (!briefly)
        weft_kernel_leave(self);
    else
        weft_kernel_brief_end(self);
    return result;
}

/* Makes the attempt; only when that `would_wait` the call as it is. */
static long try_first(const struct weft_call *call, const struct weft_call *attempt, long would_wait)
{
    long result = weft_call_raw(attempt);
    return result == would_wait ? weft_block_in_kernel(call) : result;
}

bool weft_block_alone_now(const struct weft_call *call, long *result)
{
    struct coroutine *self = weft_current;
    /* One that is made again has used some of its time. */
    if (self->restarted)
        return false;
    bool lone = false;
    if (self->bound)
        weft_bound_step_out(self);
    else if (!weft_event_loop_step_out(self) && !(lone = weft_lone_begin(self)))
        return false;
    self->wait_began = weft_now();
    *result = weft_call_interruptible(call, self);
    if (lone)
        weft_lone_end(self);
    if (*result == -EINTR) /* by whatever: as above */
        __atomic_store_n(&self->signal_due, 1, __ATOMIC_SEQ_CST);
    return true;
}

long weft_block_for_disk(const struct weft_call *call)
{
    struct coroutine *self = weft_current;
    weft_kernel_enter(self);
    long result = weft_call_raw(call);
    weft_kernel_leave(self);
    return result;
}

WEFT_HOOK(blocking)
{
    return weft_block_for_disk(call);
}

WEFT_HOOK(flock)
{
    struct weft_call attempt = *call;
    if (call->arguments[1] & LOCK_NB)
        return weft_call_raw(call);
    attempt.arguments[1] |= LOCK_NB;
    return try_first(call, &attempt, -EWOULDBLOCK);
}

/* F_SETLKW and F_OFD_SETLKW */
long weft_block_on_record_lock(const struct weft_call *call)
{
    struct weft_call attempt = *call;
    attempt.arguments[1] = call->arguments[1] == F_SETLKW ? F_SETLK : F_OFD_SETLK;
    long result = weft_call_raw(&attempt);
    return result == -EAGAIN || result == -EACCES ? weft_block_in_kernel(call) : result;
}

/* msgrcv(queue, message, size, type, flags), msgsnd(queue, message, size, flags) */
WEFT_HOOK(message)
{
    int flags = call->number == SYS_msgrcv ? 4 : 3;
    struct weft_call attempt = *call;
    if (call->arguments[flags] & IPC_NOWAIT)
        return weft_call_raw(call);
    attempt.arguments[flags] |= IPC_NOWAIT;
    return try_first(call, &attempt, call->number == SYS_msgrcv ? -ENOMSG : -EAGAIN);
}

/* semop(set, operations, count), semtimedop(set, operations, count, timeout). An operation with IPC_NOWAIT
 * gives -EAGAIN, too: then the call as it is does so again, without waiting. */
WEFT_HOOK(semaphore)
{
    static const struct timespec none;
    struct weft_call attempt = *call;
    attempt.number = SYS_semtimedop;
    attempt.arguments[3] = (long)&none;
    return try_first(call, &attempt, -EAGAIN);
}

/* mq_timedsend, mq_timedreceive */
WEFT_HOOK(message_queue)
{
    static const struct timespec past;
    const struct timespec *timeout = (const struct timespec *)call->arguments[4];
    struct timespec wanted;
    struct weft_call attempt = *call;
    if (timeout && (!weft_user_read(&wanted, timeout, sizeof wanted) || !weft_timespec_valid(&wanted)))
        return weft_call_raw(call);
    attempt.arguments[4] = (long)&past;
    return try_first(call, &attempt, -ETIMEDOUT);
}
