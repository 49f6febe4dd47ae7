/* SPDX-License-Identifier: MIT */
/*
 * The probe: a kernel thread that only sleeps, on which the calls are made that set how a thread is
 * scheduled. Nobody else can say what may be set: privileges, limits, cpusets and ranges differ between
 * machines.
 *
 * Rules:
 *   1. One probe is kept from call to call. Who cannot have it at once, because another carrier uses it,
 *      starts one of its own.
 *   2. A call finds it with what its thread has, and leaves it with what all carriers have. The process ends
 * when its last kernel thread has: a probe at a low real-time priority would not get to that while threads of
 * others with such a priority compute, one with SCHED_IDLE hardly, and SCHED_DEADLINE would keep bandwidth.
 *   3. A state may have no way back: an unprivileged thread cannot leave SCHED_IDLE or lower its nice value
 * again. Then the probe ends.
 *   4. When the kernel refuses a call (perhaps since the probe's user was changed behind our back), a new
 * probe is tried.
 *   5. A probe with old ids would keep privileges: it ends. So does that of a bound coroutine (bound.h),
 * which may have privileges of its own.
 *
 * Contexts: hooks. The lock is only ever tried, and held over system calls.
 */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "../core/credentials.h"
#include "../core/lock.h"
#include "../core/place.h"
#include "../core/slab.h"
#include "schedule.h"

enum { NICE_ZERO = 20 };

/* What a probe sleeps on. */
struct word {
    atomic_uint ticket; /* type-stable: a late probe finds another number here, and exits */
    void *slab_link;
};

struct probe {
    struct word *word;
    long tid;                      /* 0: there is none */
    struct weft_schedule *initial; /* what it began with; held */
    struct weft_schedule *has;     /* what it has now, held; NULL: not known */
    unsigned credentials;          /* the publication of ids that it was started after */
};

long weft_probe_start(atomic_uint *word, unsigned ticket); /* probe.S */

static struct weft_slab schedules = WEFT_SLAB_OF(struct weft_schedule);
static struct weft_slab words = WEFT_SLAB_OF(struct word);
static struct weft_lock kept_lock;
static struct probe kept; /* protected by kept_lock */

struct weft_schedule *weft_schedule_take(void)
{
    struct weft_schedule *schedule = weft_slab_take(&schedules);
    if (schedule)
        atomic_store(&schedule->count, 1);
    return schedule;
}

struct weft_schedule *weft_schedule_hold(struct weft_schedule *schedule)
{
    if (schedule)
        atomic_fetch_add(&schedule->count, 1);
    return schedule;
}

void weft_schedule_drop(struct weft_schedule *schedule)
{
    if (schedule && atomic_fetch_sub(&schedule->count, 1) == 1)
        weft_slab_give(&schedules, schedule);
}

bool weft_schedule_apply(const struct weft_schedule *schedule, long tid)
{
    bool all = true;
    if (schedule->mask_size)
        all = weft_raw3(SYS_sched_setaffinity, tid, schedule->mask_size, (long)schedule->mask) == 0;
    all &= weft_raw3(SYS_sched_setattr, tid, (long)&schedule->attributes, 0) == 0;
    all &= weft_raw3(SYS_setpriority, PRIO_PROCESS, tid, schedule->nice) == 0;
    return all;
}

/* What the kernel says of the thread; NULL when out of memory. Held by the caller. */
struct weft_schedule *weft_schedule_record(long tid)
{
    struct weft_schedule *schedule = weft_schedule_take();
    if (!schedule)
        return NULL;
    schedule->attributes = (struct weft_attributes){.size = sizeof schedule->attributes};
    weft_raw4(SYS_sched_getattr, tid, (long)&schedule->attributes, sizeof schedule->attributes, 0);
    schedule->nice = NICE_ZERO - (int)weft_raw2(SYS_getpriority, PRIO_PROCESS, tid);
    long size = weft_raw3(SYS_sched_getaffinity, tid, WEFT_AFFINITY_SIZE, (long)schedule->mask);
    schedule->mask_size = size > 0 ? size : 0;
    return schedule;
}

static bool same(const struct weft_schedule *left, const struct weft_schedule *right)
{
    return left == right || (left->nice == right->nice && left->mask_size == right->mask_size &&
                             memcmp(left->mask, right->mask, (size_t)left->mask_size) == 0 &&
                             memcmp(&left->attributes, &right->attributes, sizeof left->attributes) == 0);
}

static bool is_real_time(unsigned policy)
{
    return policy == SCHED_FIFO || policy == SCHED_RR || policy == SCHED_DEADLINE;
}

static void has_now(struct probe *probe, struct weft_schedule *schedule)
{
    weft_schedule_drop(probe->has);
    probe->has = weft_schedule_hold(schedule);
}

static void end(struct probe *probe)
{
    if (probe->tid) {
        atomic_fetch_add(&probe->word->ticket, 1);
        weft_raw3(SYS_futex, (long)&probe->word->ticket, FUTEX_WAKE_PRIVATE, INT_MAX);
    }
    if (probe->word)
        weft_slab_give(&words, probe->word);
    weft_schedule_drop(probe->initial);
    weft_schedule_drop(probe->has);
    *probe = (struct probe){0};
}

/* Starts a probe that has what all carriers have. Returns 0 or -errno. */
static long begin(struct probe *probe)
{
    probe->credentials = weft_credentials_published();
    probe->word = weft_slab_take(&words);
    if (!probe->word)
        return -ENOMEM;
    weft_place_release(weft_current->carrier);
    uint64_t all = ~UINT64_C(0), before;
    weft_raw4(SYS_rt_sigprocmask, SIG_SETMASK, (long)&all, (long)&before, sizeof all);
    long tid = weft_probe_start(&probe->word->ticket, atomic_load(&probe->word->ticket));
    weft_raw4(SYS_rt_sigprocmask, SIG_SETMASK, (long)&before, 0, sizeof before);
    if (tid > 0) {
        probe->tid = tid;
        probe->initial = weft_schedule_record(tid);
        has_now(probe, probe->initial);
    }
    if (probe->has)
        return 0;
    end(probe);
    return tid < 0 ? tid : -ENOMEM;
}

/* Sets what differs; returns whether that was all. (What sets the policy sets the nice value of a normal
 * one.) */
static bool change(const struct weft_schedule *has, const struct weft_schedule *wanted, long tid)
{
    bool all = true;
    int nice = has->nice;
    if (has->mask_size != wanted->mask_size || memcmp(has->mask, wanted->mask, (size_t)has->mask_size) != 0)
        all = weft_raw3(SYS_sched_setaffinity, tid, wanted->mask_size, (long)wanted->mask) == 0;
    if (memcmp(&has->attributes, &wanted->attributes, sizeof has->attributes) != 0) {
        all &= weft_raw3(SYS_sched_setattr, tid, (long)&wanted->attributes, 0) == 0;
        if (!is_real_time(wanted->attributes.policy))
            nice = wanted->attributes.nice;
    }
    if (nice != wanted->nice)
        all &= weft_raw3(SYS_setpriority, PRIO_PROCESS, tid, wanted->nice) == 0;
    return all;
}

/* Gives the probe the schedule; false when it does not have all of it. */
static bool bring(struct probe *probe, struct weft_schedule *schedule)
{
    if (!schedule)
        schedule = probe->initial;
    if (probe->has && same(probe->has, schedule))
        return true;
    if (!probe->has) { /* who knows what else it has */
        weft_schedule_apply(schedule, probe->tid);
        return false;
    }
    /* The clamps of utilization are only reported, not set, without a flag that many kernels refuse. */
    bool all = change(probe->has, schedule, probe->tid) &&
               memcmp(probe->has->attributes.utilization, schedule->attributes.utilization,
                      sizeof schedule->attributes.utilization) == 0;
    has_now(probe, all ? schedule : NULL);
    return all;
}

static long execute(const struct weft_call *call, int argument, struct probe *probe,
                    struct weft_schedule **after)
{
    struct weft_call copy = *call;
    copy.arguments[argument] = probe->tid;
    long result = weft_call_raw(&copy);
    if (result >= 0 && after) {
        *after = weft_schedule_record(probe->tid);
        has_now(probe, *after);
    }
    return result;
}

long weft_probe_call(const struct weft_call *call, int argument, struct weft_schedule *schedule,
                     struct weft_schedule **after)
{
    struct probe own = {0}, *probe = &own;
    bool keeps = weft_current->bound != WEFT_BOUND_HEIRS && weft_lock_try(&kept_lock);
    if (keeps)
        probe = &kept;
    long result = -EPERM;
    if (probe->tid && probe->credentials == weft_credentials_published() && bring(probe, schedule))
        result = execute(call, argument, probe, after);
    if (result == -EPERM || result == -EACCES) {
        end(probe);
        result = begin(probe);
        if (result == 0) {
            bring(probe, schedule); /* as far as our privileges go */
            result = execute(call, argument, probe, after);
        }
    }
    bool back = probe->tid && bring(probe, NULL);
    if (!keeps || !back || probe->credentials != weft_credentials_published())
        end(probe);
    if (keeps)
        weft_lock_release(&kept_lock);
    return result;
}

/* Who uses it just now sees to it. */
void weft_probe_renew(void)
{
    if (!weft_lock_try(&kept_lock))
        return;
    if (kept.credentials != weft_credentials_published())
        end(&kept);
    weft_lock_release(&kept_lock);
}

void weft_probe_restart(void)
{
    kept_lock = (struct weft_lock){0};
    kept = (struct probe){0};
}
