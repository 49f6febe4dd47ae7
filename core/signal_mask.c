/* SPDX-License-Identifier: MIT */
/*
 * See signal_mask.h.
 *
 * Coroutines with the same mask form a kind; what all kinds have in common is what kernel threads block.
 * There are few kinds in a program; should there be more than fit, the rest counts as blocking nothing: then
 * kernel threads block less, and some signals wait in our queues instead of in the kernel.
 *
 * Rules:
 *  1. weft_signal_lock protects the kinds, but for the count of a kind that has further members: that is
 *     changed without it, so that threads which begin and end on several CPUs do not wait for each other.
 *     coroutine->signal_mask is written by the coroutine itself, without the lock where it stays with its
 *     kind. It writes the mask and then looks for signals; a sender, with the lock, queues one and then looks
 *     at masks. So one of the two sees the other: the sender chooses somebody else, or who blocks what is
 *     there passes it on, who unblocks it takes it.
 *  2. glibc blocks everything, its own two signals included, for the moments in which a thread is made or
 * ends. Nothing of the program's can block those two, so such a mask is told by them; it keeps handlers away
 * from the coroutine, but the coroutine stays with its kind: for so short a time nobody can tell.
 *  3. One kernel thread, the first (its id is the process's), receives what is sent to the process; it blocks
 *     what all coroutines block and is kicked when that changes. The others block all but faults and what a
 *     call of their own causes. Were there several, what one sender has sent in order would arrive in
 * disorder. One kick does for all changes that its handler sees: the kernel delivers what is sent to a thread
 * before what is sent to the process, and before the thread goes on; kick after kick would stop both.
 *  4. What waits in the kernel because all blocked it is fetched by whoever unblocks it, so that it is
 *     handled before the call returns; what was sent there in the meantime, by who sent it. Each publishes
 *     before he looks: the one the mask, the other the signal.
 */
#include "signal_mask.h"

#include <stddef.h>
#include <time.h>

#include "carrier.h"
#include "hint.h"
#include "raw.h"
#include "signal_internal.h"

enum { KINDS = 64, REST = KINDS, CANCEL = 32 };

static struct kind {
    _Alignas(64) uint64_t mask;     /* constant while it has members */
    _Alignas(64) atomic_uint count; /* changes often; the mask is read often */
} kinds[KINDS + 1];
static unsigned kinds_used; /* those in use lie below */
static struct coroutine *main_coroutine;
static _Atomic uint64_t kernel_mask;
static atomic_bool receiver_told; /* by a kick, of a change of kernel_mask that it has not seen yet */

#define BIT(number) (UINT64_C(1) << ((number)-1))

/* Sent to the kernel thread that caused it, by the kernel; so each must receive them for its own coroutine.
 */
static const uint64_t caused_here = BIT(SIGSEGV) | BIT(SIGBUS) | BIT(SIGFPE) | BIT(SIGILL) | BIT(SIGTRAP) |
                                    BIT(SIGSYS) | BIT(SIGPIPE) | BIT(SIGXFSZ) | BIT(WEFT_SIGNAL_KICK);
static const uint64_t never_in_kernel = BIT(CANCEL) | BIT(SIGPIPE) | BIT(SIGXFSZ) | BIT(WEFT_SIGNAL_KICK);

static const uint64_t job_control = BIT(SIGTTIN) | BIT(SIGTTOU);

static bool internal(uint64_t mask)
{
    return mask & weft_signal_bit(CANCEL);
}

static void join(struct coroutine *coroutine, uint64_t mask)
{
    unsigned place = REST;
    for (unsigned i = 0; i < kinds_used; i++) {
        if (kinds[i].count && kinds[i].mask == mask) {
            place = i;
            break;
        }
        if (!kinds[i].count && place == REST)
            place = i;
    }
    if (place == REST && kinds_used < KINDS)
        place = kinds_used++;
    if (kinds[place].count == 0)
        kinds[place].mask = place == REST ? 0 : mask;
    kinds[place].count++;
    coroutine->signal_kind = (uint8_t)place;
}

/* Returns true when it was the last of its kind. */
static bool leave(struct coroutine *coroutine)
{
    return atomic_fetch_sub(&kinds[coroutine->signal_kind].count, 1) == 1;
}

static uint64_t common(void)
{
    uint64_t mask = kinds[REST].count ? 0 : ~UINT64_C(0);
    unsigned count = kinds[REST].count;
    for (unsigned i = 0; i < kinds_used; i++)
        if (kinds[i].count) {
            mask &= kinds[i].mask;
            count += kinds[i].count;
        }
    return count ? mask & ~never_in_kernel : 0;
}

/* As arrivals, behind those that were caught before; what finds no room stays in the kernel. */
static void fetch(uint64_t set)
{
    const struct timespec none = {0, 0};
    bool scarce = false;
    siginfo_t info;
    while (!scarce && weft_raw4(SYS_rt_sigtimedwait, (long)&set, (long)&info, (long)&none, sizeof set) > 0) {
        struct weft_signal *signal = weft_signal_take(&info, 0, &scarce);
        if (!signal) /* all at once: back to the kernel, which does not tell this from others of its kind */
            weft_raw3(SYS_rt_sigqueueinfo, weft_raw0(SYS_getpid), info.si_signo, (long)&info);
        else
            weft_signal_leave(signal);
        scarce |= !signal;
    }
}

/* With the lock held, when there are other kinds, or may be. */
static void apply(void)
{
    while (kinds_used && !kinds[kinds_used - 1].count)
        kinds_used--;
    uint64_t before = atomic_load(&kernel_mask), mask = common();
    if (mask == before)
        return;
    atomic_store(&kernel_mask, mask); /* first: rule 4 */
    if (before & ~mask)
        fetch(before & ~mask);
    long pid = weft_raw0(SYS_getpid);
    if (weft_raw0(SYS_gettid) != pid && !atomic_exchange(&receiver_told, true))
        weft_raw3(SYS_tgkill, pid, pid, WEFT_SIGNAL_KICK);
}

uint64_t weft_signal_mask_wanted(const struct carrier *carrier)
{
    uint64_t mask = carrier->receives ? atomic_load(&kernel_mask) : ~caused_here;
    const struct coroutine *caller = carrier->lent_to;
    return caller ? (mask & ~job_control) | (caller->signal_mask & job_control) : mask;
}

void weft_signal_mask_lend(struct coroutine *self)
{
    weft_hint_set(self->carrier->lent_to, self);
    weft_signal_mask_follow(self->carrier);
}

void weft_signal_mask_unlend(struct coroutine *self)
{
    weft_hint_set(self->carrier->lent_to, NULL);
    weft_signal_mask_follow(self->carrier);
}

void weft_signal_mask_sent(uint64_t bit)
{
    if (atomic_load(&kernel_mask) & bit)
        return;
    weft_lock_acquire(&weft_signal_lock.lock);
    fetch(bit);
    weft_lock_release(&weft_signal_lock.lock);
}

uint64_t weft_signal_kernel_mask(void)
{
    return atomic_load(&kernel_mask);
}

void weft_signal_mask_follow(struct carrier *carrier)
{
    uint64_t mask;
    if (carrier->kernel_mask == weft_signal_mask_wanted(carrier) && !atomic_load(&carrier->flooded))
        return;
    atomic_store(&carrier->flooded, false);
    do { /* a kick may come between the load and the call, and would be undone */
        mask = weft_signal_mask_wanted(carrier);
        weft_raw4(SYS_rt_sigprocmask, SIG_SETMASK, (long)&mask, 0, sizeof mask);
        __atomic_store_n(&carrier->kernel_mask, mask, __ATOMIC_SEQ_CST);
    } while (mask != weft_signal_mask_wanted(carrier));
}

void weft_signal_mask_follow_later(struct carrier *carrier, uint64_t *returned_to)
{
    uint64_t mask;
    if (!carrier)
        return;
    do { /* who changes it behind the second look sends a kick */
        if (carrier->receives)
            atomic_store(&receiver_told, false);
        mask = weft_signal_mask_wanted(carrier);
        if (!atomic_load(&carrier->flooded))
            *returned_to = carrier->kernel_mask = mask;
    } while (mask != weft_signal_mask_wanted(carrier));
}

void weft_signal_mask_all(struct carrier *carrier)
{
    uint64_t all = ~UINT64_C(0);
    weft_raw4(SYS_rt_sigprocmask, SIG_SETMASK, (long)&all, 0, sizeof all);
    __atomic_store_n(&carrier->kernel_mask, all, __ATOMIC_SEQ_CST);
}

/* Into the kind of the mask, which is new. */
static void move(struct coroutine *self, uint64_t mask)
{
    weft_lock_acquire(&weft_signal_lock.lock);
    __atomic_store_n(&self->signal_mask, mask, __ATOMIC_SEQ_CST);
    leave(self);
    join(self, mask);
    apply();
    weft_lock_release(&weft_signal_lock.lock);
}

static void set(struct coroutine *self, uint64_t mask, bool counts)
{
    uint64_t old = self->signal_mask;
    if (mask == old)
        return;
    if (internal(mask) && !(old & ~mask)) /* rule 2: what is sent in this very moment he has when it ends */
        weft_hint_set(self->signal_mask, mask);
    else if (counts && !internal(mask) &&
             (kinds[self->signal_kind].mask != mask || self->signal_kind == REST))
        move(self, mask);
    else
        __atomic_store_n(&self->signal_mask, mask, __ATOMIC_SEQ_CST);
    bool held = weft_signals_held();
    if (mask & ~old && held) {
        weft_lock_acquire(&weft_signal_lock.lock);
        weft_signals_pass_on(mask & ~old);
        weft_lock_release(&weft_signal_lock.lock);
    }
    if (old & ~mask &&
        (held || __atomic_load_n(&self->signals, __ATOMIC_SEQ_CST) || atomic_load(&weft_signals_arrived)))
        __atomic_store_n(&self->signal_due, 1, __ATOMIC_SEQ_CST);
    weft_signal_mask_follow(self->carrier);
}

void weft_signal_mask_set(struct coroutine *self, uint64_t mask)
{
    set(self, mask, true);
}

void weft_signal_mask_add(struct coroutine *self, uint64_t more)
{
    set(self, self->signal_mask | more, false);
}

/* Without the lock: there is a member, who does not leave meanwhile. */
static void join_member(struct coroutine *coroutine, uint8_t kind)
{
    atomic_fetch_add(&kinds[kind].count, 1);
    coroutine->signal_kind = kind;
}

void weft_signal_mask_begin(struct coroutine *coroutine, uint64_t mask)
{
    struct coroutine *creator = weft_current;
    weft_hint_set(coroutine->signal_mask, mask);
    if (creator && creator->signal_kind != REST &&
        (internal(mask) || kinds[creator->signal_kind].mask == mask)) {
        join_member(coroutine, creator->signal_kind);
    } else {
        weft_lock_acquire(&weft_signal_lock.lock);
        join(coroutine, internal(mask) && creator ? kinds[creator->signal_kind].mask : mask);
        if (!creator)
            weft_hint_set(main_coroutine, coroutine);
        apply();
        weft_lock_release(&weft_signal_lock.lock);
    }
    __atomic_store_n(&coroutine->signals_open, true, __ATOMIC_RELEASE);
}

void weft_signal_mask_end(struct coroutine *coroutine)
{
    weft_lock_acquire(&coroutine->signal_lock);
    __atomic_store_n(&coroutine->signals_open, false, __ATOMIC_RELAXED);
    weft_lock_release(&coroutine->signal_lock); /* a full barrier */
    /* As after a change of the mask: whoever chose it before has queued a signal that is seen here. */
    bool last = leave(coroutine), is_main = coroutine == __atomic_load_n(&main_coroutine, __ATOMIC_RELAXED);
    if (!last && !is_main && !weft_signals_held() && !__atomic_load_n(&coroutine->signals, __ATOMIC_SEQ_CST))
        return;
    weft_lock_acquire(&weft_signal_lock.lock);
    if (is_main)
        weft_hint_set(main_coroutine, NULL);
    apply();
    weft_signals_pass_on(~UINT64_C(0));
    weft_signals_drop(coroutine);
    weft_lock_release(&weft_signal_lock.lock);
}

struct coroutine *weft_signal_mask_main(uint64_t bit)
{
    struct coroutine *main = main_coroutine;
    return main && !(__atomic_load_n(&main->signal_mask, __ATOMIC_SEQ_CST) & bit) ? main : NULL;
}

uint64_t weft_signal_mask_left_to_main(const struct coroutine *self)
{
    struct coroutine *main = main_coroutine;
    return main && main != self ? ~__atomic_load_n(&main->signal_mask, __ATOMIC_SEQ_CST) : 0;
}

static bool lacks(struct coroutine *coroutine, const void *bit)
{
    return __atomic_load_n(&coroutine->signals_open, __ATOMIC_ACQUIRE) &&
           !(__atomic_load_n(&coroutine->signal_mask, __ATOMIC_SEQ_CST) & *(const uint64_t *)bit);
}

struct coroutine *weft_signal_mask_lacking(uint64_t bit)
{
    return weft_coroutine_search(lacks, &bit);
}

void weft_signal_mask_restart(struct coroutine *self)
{
    uint64_t mask = kinds[self->signal_kind].mask;
    for (unsigned i = 0; i <= KINDS; i++)
        kinds[i].count = 0;
    kinds_used = 0;
    main_coroutine = self;
    atomic_store(&receiver_told, false);
    join(self, mask);
    atomic_store(&kernel_mask, common());
    weft_signal_mask_follow(self->carrier);
}
