/* SPDX-License-Identifier: MIT */
/*
 * See credentials.h.
 *
 * Rules:
 *  1. The lock protects `published`. It is held with all signals blocked, for the kick's handler takes it
 * too.
 *  2. `sequence` counts the publications; a carrier notes the one that its kernel thread has. A new kernel
 * thread has its creator's ids, perhaps old ones (the monitor's are never changed), so it begins with a look.
 *  3. A carrier that blocks all signals runs no program code, and the kick is pending: it is not waited for.
 *
 * Rejected: to execute the program's calls again on each carrier. A spare one may have missed several, and
 * the second of two need not be allowed after the loss of privileges by the first; ids can be set in any
 * order but one (below).
 */
#include "credentials.h"

#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <string.h>

#include "carrier.h"
#include "lock.h"
#include "raw.h"
#include "signal.h"
#include "visit.h"

enum { GROUPS = NGROUPS_MAX };

struct ids {
    uint32_t user[3], group[3]; /* real, effective, saved */
    long group_count;           /* negative: not known */
    uint32_t groups[GROUPS];
};

static struct weft_lock lock;
static struct ids published;
static struct ids own; /* room for a comparison, under the lock */
static atomic_uint sequence;

static uint64_t block_signals(void)
{
    uint64_t all = ~UINT64_C(0), before;
    weft_raw4(SYS_rt_sigprocmask, SIG_SETMASK, (long)&all, (long)&before, sizeof all);
    return before;
}

static void unblock_signals(uint64_t before)
{
    weft_raw4(SYS_rt_sigprocmask, SIG_SETMASK, (long)&before, 0, sizeof before);
}

static void read_ids(struct ids *ids)
{
    weft_raw3(SYS_getresuid, (long)&ids->user[0], (long)&ids->user[1], (long)&ids->user[2]);
    weft_raw3(SYS_getresgid, (long)&ids->group[0], (long)&ids->group[1], (long)&ids->group[2]);
    ids->group_count = weft_raw2(SYS_getgroups, GROUPS, (long)ids->groups);
}

static bool same_ids(const struct ids *left, const struct ids *right)
{
    return memcmp(left->user, right->user, sizeof left->user) == 0 &&
           memcmp(left->group, right->group, sizeof left->group) == 0 &&
           left->group_count == right->group_count &&
           (left->group_count <= 0 ||
            memcmp(left->groups, right->groups, (size_t)left->group_count * sizeof *left->groups) == 0);
}

static void set_groups(const struct ids *ids)
{
    if (ids->group_count >= 0)
        weft_raw2(SYS_setgroups, ids->group_count, (long)ids->groups);
    weft_raw3(SYS_setresgid, ids->group[0], ids->group[1], ids->group[2]);
}

unsigned weft_credentials_published(void)
{
    return atomic_load(&sequence);
}

void weft_credentials_follow(struct carrier *carrier)
{
    if (!carrier || carrier->bound == WEFT_BOUND_HEIRS ||
        atomic_load(&carrier->credentials) == atomic_load(&sequence))
        return;
    weft_lock_acquire(&lock);
    /* Groups first, while we may; and again, for when it is the new user that may. */
    set_groups(&published);
    weft_raw3(SYS_setresuid, published.user[0], published.user[1], published.user[2]);
    set_groups(&published);
    atomic_store(&carrier->credentials, atomic_load(&sequence));
    weft_lock_release(&lock);
}

/* True when the carrier runs, or may run, program code with older ids. */
static bool is_behind(struct carrier *carrier, unsigned wanted)
{
    return (int)(atomic_load(&carrier->credentials) - wanted) < 0 && carrier->begun &&
           __atomic_load_n(&carrier->bound, __ATOMIC_RELAXED) != WEFT_BOUND_HEIRS &&
           __atomic_load_n(&carrier->tid, __ATOMIC_SEQ_CST) != 0 &&
           __atomic_load_n(&carrier->kernel_mask, __ATOMIC_SEQ_CST) != ~UINT64_C(0);
}

void weft_credentials_publish(struct carrier *self)
{
    uint64_t before = block_signals();
    weft_lock_acquire(&lock);
    read_ids(&own);
    unsigned wanted = atomic_load(&sequence);
    bool news = wanted == 0 || !same_ids(&own, &published);
    if (news) {
        memcpy(&published, &own, sizeof own);
        atomic_store(&sequence, ++wanted);
        atomic_store(&self->credentials, wanted);
    }
    weft_lock_release(&lock);
    unblock_signals(before);
    if (!news)
        return;
    long pid = weft_raw0(SYS_getpid);
    for (struct carrier *carrier = weft_carrier_first(); carrier; carrier = carrier->next_started) {
        int tid = __atomic_load_n(&carrier->tid, __ATOMIC_SEQ_CST);
        if (carrier != self && tid)
            weft_raw3(SYS_tgkill, pid, tid, WEFT_SIGNAL_KICK);
    }
    for (struct carrier *carrier = weft_carrier_first(); carrier; carrier = carrier->next_started)
        for (unsigned round = 0; carrier != self && is_behind(carrier, wanted); round++)
            weft_visit_pause(round);
}

void weft_credentials_restart(struct carrier *carrier)
{
    lock = (struct weft_lock){0};
    atomic_store(&sequence, 0);
    atomic_store(&carrier->credentials, 0);
}
