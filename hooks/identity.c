/* SPDX-License-Identifier: MIT */
/*
 * The name, the CPU affinity, the scheduling policy and the nice value of a thread.
 *
 * Kernel threads carry many coroutines, so what a program sets for a thread is remembered, reported and
 * inherited, and no carrier changes. What may be set is for the kernel to say: a setter's call is made on a
 * probe (probe.c) that was given what the coroutine has so far; what the kernel then reports of the probe is
 * what is remembered.
 *
 * Rules:
 *   1. A schedule never changes once it is in a coroutine; creator and children share it by counting. The
 * lock protects the pointers to schedules, and nothing is called while it is held.
 *   2. A coroutine without a schedule has what the process had when weft became active: ask the kernel for 0.
 * With SCHED_RESET_ON_FORK only main's kernel thread would have it, so main gets one at once.
 *   3. The program's memory is read and written by the kernel first, so bad pointers give -EFAULT, not a
 * fault.
 *   4. Names have no lock: whoever reads one while it is changed gets some of both, as natively.
 *
 * Contexts: hooks; names also from preload/identity.c, where a signal handler may interrupt.
 *
 * Rejected: our own validation of priorities and masks, which would repeat half of the kernel's.
 */
#include "identity.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "../core/hint.h"
#include "../core/lock.h"
#include "../core/place.h"
#include "../core/priority.h"
#include "bound.h"
#include "hooks.h"
#include "schedule.h"

enum { RESET_ON_FORK = 1, POLICY_RESET_ON_FORK = 0x40000000, NICE_ZERO = 20 };

static struct weft_lock lock;
static struct weft_schedule ended; /* of an exited coroutine: nothing can be set any more */
static ptrdiff_t tid_offset;       /* from the thread pointer to the id as libc keeps it; 0: not known */

static struct weft_schedule *hold(struct coroutine *coroutine)
{
    weft_lock_acquire(&lock);
    struct weft_schedule *schedule = __atomic_load_n(&coroutine->schedule, __ATOMIC_RELAXED);
    schedule = schedule == &ended ? NULL : weft_schedule_hold(schedule);
    weft_lock_release(&lock);
    return schedule;
}

/* Puts a schedule that the caller holds into the coroutine, which holds it then. Returns 0 or -ESRCH. */
static long replace(struct coroutine *coroutine, struct weft_schedule *schedule)
{
    weft_lock_acquire(&lock);
    struct weft_schedule *before = __atomic_load_n(&coroutine->schedule, __ATOMIC_RELAXED);
    bool lives;
    do
        lives = before != &ended;
    while (lives && !__atomic_compare_exchange_n(&coroutine->schedule, &before, schedule, false,
                                                 __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    weft_lock_release(&lock);
    weft_schedule_drop(lives ? before : schedule);
    return lives ? 0 : -ESRCH;
}

/* Whom a call's thread id means: 0 is the caller. NULL: a thread of another process, or none. */
static struct coroutine *meant(long tid)
{
    struct coroutine *self = weft_current;
    return (int)tid == 0 || (int)tid == self->tid ? self : weft_coroutine_find((int)tid);
}

/* What orders the run queues: see core/priority.h. */
static unsigned priority_of(unsigned policy, unsigned priority)
{
    if (policy == SCHED_FIFO || policy == SCHED_RR)
        return priority;
    return policy == SCHED_DEADLINE ? WEFT_PRIORITIES - 1 : 0;
}

static uint8_t priority_in(const struct weft_schedule *schedule)
{
    return schedule ? (uint8_t)priority_of(schedule->attributes.policy, schedule->attributes.priority) : 0;
}

/* Executes the call on a kernel thread that stands for the target, whose id is that argument; `keep`
 * remembers. */
static long probe(const struct weft_call *call, int argument, struct coroutine *target, bool keep)
{
    struct weft_schedule *schedule = hold(target), *after = NULL;
    long result = weft_probe_call(call, argument, schedule, keep ? &after : NULL);
    if (result >= 0 && keep) {
        const struct weft_attributes *attributes = after ? &after->attributes : &(struct weft_attributes){0};
        unsigned priority = priority_of(attributes->policy, attributes->priority);
        bool round_robin = attributes->policy == SCHED_RR;
        long replaced = after ? replace(target, after) : -ENOMEM; /* it may be gone after this */
        if (replaced != 0)
            result = replaced;
        else if (priority || target->priority)
            weft_priority_change(weft_current, target, priority, round_robin);
    }
    weft_schedule_drop(schedule);
    return result;
}

/* sched_setaffinity, sched_setscheduler, sched_setparam, sched_setattr: the first argument is the thread. */
WEFT_HOOK(sched_set)
{
    struct coroutine *target = meant(call->arguments[0]);
    return target ? probe(call, 0, target, true) : weft_call_raw(call);
}

WEFT_HOOK(setpriority)
{
    struct coroutine *target = call->arguments[0] == PRIO_PROCESS ? meant(call->arguments[1]) : NULL;
    return target ? probe(call, 1, target, true) : weft_call_raw(call);
}

/* Asks the kernel for the calling thread instead, when the thread is a coroutine. *schedule: what is to be
 * reported instead of the answer, held; NULL when the answer stands. */
static long ask(const struct weft_call *call, int argument, struct weft_schedule **schedule)
{
    struct weft_call copy = *call;
    struct coroutine *target = meant(call->arguments[argument]);
    *schedule = NULL;
    weft_place_release(weft_current->carrier);
    if (target)
        copy.arguments[argument] = 0;
    long result = weft_call_raw(&copy);
    if (target && result >= 0)
        *schedule = hold(target);
    return result;
}

WEFT_HOOK(sched_getaffinity)
{
    struct weft_schedule *schedule;
    long result = ask(call, 0, &schedule);
    if (schedule && schedule->mask_size)
        memcpy((void *)call->arguments[2], schedule->mask,
               (size_t)(result < schedule->mask_size ? result : schedule->mask_size));
    weft_schedule_drop(schedule);
    return result;
}

WEFT_HOOK(sched_getscheduler)
{
    struct weft_schedule *schedule;
    long result = ask(call, 0, &schedule);
    if (schedule)
        result = schedule->attributes.policy |
                 (schedule->attributes.flags & RESET_ON_FORK ? POLICY_RESET_ON_FORK : 0);
    weft_schedule_drop(schedule);
    return result;
}

WEFT_HOOK(sched_getparam)
{
    struct weft_schedule *schedule;
    long result = ask(call, 0, &schedule);
    if (schedule)
        *(int *)call->arguments[1] = (int)schedule->attributes.priority;
    weft_schedule_drop(schedule);
    return result;
}

/* sched_getattr(thread, attributes, size, flags): the kernel has put into the size how much it wrote. */
WEFT_HOOK(sched_getattr)
{
    struct weft_schedule *schedule;
    long result = ask(call, 0, &schedule);
    if (schedule) {
        struct weft_attributes *answer = (struct weft_attributes *)call->arguments[1],
                               ours = schedule->attributes;
        size_t size = answer->size < sizeof ours ? answer->size : sizeof ours;
        ours.size = answer->size;
        memcpy(answer, &ours, size);
    }
    weft_schedule_drop(schedule);
    return result;
}

WEFT_HOOK(getpriority)
{
    struct weft_schedule *schedule = NULL;
    long result = call->arguments[0] == PRIO_PROCESS ? ask(call, 1, &schedule) : weft_call_raw(call);
    if (schedule)
        result = NICE_ZERO - schedule->nice;
    weft_schedule_drop(schedule);
    return result;
}

WEFT_HOOK(sched_rr_get_interval)
{
    struct coroutine *target = meant(call->arguments[0]);
    return target ? probe(call, 0, target, false) : weft_call_raw(call);
}

/* Main's kernel thread, which alone bears the name of the process, may be carrying somebody else. */
static bool on_main_thread(void)
{
    return weft_raw0(SYS_gettid) == weft_raw0(SYS_getpid);
}

static long open_process_name(int mode)
{
    return weft_raw4(SYS_openat, AT_FDCWD, (long)"/proc/self/comm", mode | O_CLOEXEC, 0);
}

struct weft_name weft_identity_name(struct coroutine *coroutine)
{
    if (coroutine->named)
        return coroutine->name;
    struct weft_name name = {0};
    if (on_main_thread()) {
        weft_raw2(SYS_prctl, PR_GET_NAME, (long)&name);
    } else {
        long fd = open_process_name(O_RDONLY);
        if (fd >= 0) {
            long length = weft_raw3(SYS_read, fd, (long)&name, sizeof name);
            if (length > 0)
                name.text[length - 1] = 0; /* a line end */
            weft_raw1(SYS_close, fd);
        }
    }
    coroutine->name = name;
    coroutine->named = true;
    return name;
}

void weft_identity_rename(struct coroutine *coroutine, const struct weft_name *name)
{
    coroutine->name = *name;
    coroutine->named = true;
    if (coroutine->tid != weft_raw0(SYS_getpid))
        return;
    if (on_main_thread()) {
        weft_raw2(SYS_prctl, PR_SET_NAME, (long)name);
        return;
    }
    long fd = open_process_name(O_WRONLY);
    if (fd < 0)
        return;
    weft_raw3(SYS_write, fd, (long)name, sizeof *name); /* the end of the text included: it may be empty */
    weft_raw1(SYS_close, fd);
}

/* The name and the address of the id are the coroutine's; the other options are left to the kernel. */
WEFT_HOOK(prctl)
{
    struct coroutine *self = weft_current;
    if (call->arguments[0] == PR_GET_NAME || call->arguments[0] == PR_GET_TID_ADDRESS) {
        long result = weft_call_raw(call);
        if (result != 0)
            return result;
        if (call->arguments[0] == PR_GET_NAME)
            *(struct weft_name *)call->arguments[1] = weft_identity_name(self);
        else
            *(uint32_t **)call->arguments[1] = self->clear_child_tid;
        return 0;
    }
    if (call->arguments[0] != PR_SET_NAME)
        return weft_bind_by(call);
    struct weft_name before, name; /* the kernel reads and cuts the text: this thread has it for a moment */
    weft_raw2(SYS_prctl, PR_GET_NAME, (long)&before);
    long result = weft_call_raw(call);
    if (result != 0)
        return result;
    weft_raw2(SYS_prctl, PR_GET_NAME, (long)&name);
    weft_raw2(SYS_prctl, PR_SET_NAME, (long)&before);
    weft_identity_rename(self, &name);
    return 0;
}

struct coroutine *weft_identity_find(pthread_t thread)
{
    if (thread == weft_fs_base())
        return weft_current;
    ptrdiff_t offset = __atomic_load_n(&tid_offset, __ATOMIC_RELAXED);
    if (!offset)
        return NULL;
    int tid = __atomic_load_n((int *)(thread + (uintptr_t)offset), __ATOMIC_RELAXED);
    return tid ? weft_coroutine_find(tid) : NULL;
}

/* What a child gets when its creator set SCHED_RESET_ON_FORK; NULL when out of memory. */
static struct weft_schedule *reset(const struct weft_schedule *from)
{
    struct weft_schedule *schedule = weft_schedule_take();
    if (!schedule)
        return NULL;
    memcpy(schedule, from, sizeof *from);
    atomic_store(&schedule->count, 1);
    bool real_time = from->attributes.policy != SCHED_OTHER && from->attributes.policy != SCHED_BATCH &&
                     from->attributes.policy != SCHED_IDLE;
    if (real_time || from->nice < 0)
        schedule->nice = 0;
    schedule->attributes = (struct weft_attributes){
        .size = from->attributes.size,
        .policy = real_time ? SCHED_OTHER : from->attributes.policy,
        .nice = schedule->nice,
    };
    return schedule;
}

struct weft_schedule *weft_identity_of_child(struct coroutine *parent)
{
    struct weft_schedule *schedule = hold(parent);
    if (!schedule || !(schedule->attributes.flags & RESET_ON_FORK))
        return schedule;
    struct weft_schedule *without = reset(schedule);
    weft_schedule_drop(schedule);
    return without;
}

void weft_identity_start(struct coroutine *self)
{
    int priority = 0;
    weft_raw2(SYS_sched_getparam, 0, (long)&priority);
    long policy = weft_raw1(SYS_sched_getscheduler, 0);
    if (policy >= 0 && policy & POLICY_RESET_ON_FORK) {
        self->schedule = weft_schedule_record(0);
        policy &= ~(long)POLICY_RESET_ON_FORK;
    }
    self->priority = (uint8_t)priority_of((unsigned)policy, (unsigned)priority);
    self->round_robin = policy == SCHED_RR;
}

void weft_identity_begin(struct coroutine *child, struct coroutine *parent, const int *tid_word,
                         uintptr_t fs_base)
{
    if (tid_word)
        weft_hint_set(tid_offset, (ptrdiff_t)((uintptr_t)tid_word - fs_base)); /* the same for all */
    child->name = weft_identity_name(parent);
    child->named = true;
    weft_hint_set(child->priority, parent->priority);
    weft_hint_set(child->round_robin, parent->round_robin);
    if (!parent->schedule)
        return;
    child->schedule = weft_identity_of_child(parent);
    weft_hint_set(child->priority, priority_in(child->schedule));
}

void weft_identity_end(struct coroutine *self)
{
    struct weft_schedule *schedule = NULL;
    if (__atomic_compare_exchange_n(&self->schedule, &schedule, &ended, false, __ATOMIC_RELAXED,
                                    __ATOMIC_RELAXED))
        return; /* nearly always; what is there has a count, which is the lock's */
    weft_lock_acquire(&lock);
    schedule = __atomic_exchange_n(&self->schedule, &ended, __ATOMIC_RELAXED);
    weft_lock_release(&lock);
    weft_schedule_drop(schedule);
}

void weft_identity_restart(struct coroutine *self)
{
    lock = (struct weft_lock){0};
    weft_probe_restart();
    if (self->named)
        weft_raw2(SYS_prctl, PR_SET_NAME, (long)&self->name);
    struct weft_schedule *schedule = weft_identity_of_child(self);
    if (!schedule)
        return;
    weft_schedule_apply(schedule, 0);
    weft_hint_set(self->priority, priority_in(schedule));
    replace(self, schedule);
}
