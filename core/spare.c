/* SPDX-License-Identifier: MIT */
/*
 * Lists of carriers.
 *
 *     create ──► in use ◄──────► spares         those whose kernel thread sleeps, newest first
 *       ▲           │                │ surplus for SPARE_TIME
 *       │           │ its kernel     ▼
 *       └───────────┴ thread ends ► retired     oldest first; used again when the kernel thread is gone
 *
 * A few spares (SPARES_KEPT) stay; the others end: after a burst of blocking calls the process is as small as
 * before. But one with children stays until they are gone: its end is a signal for some of them.
 *
 * Locks: spare_lock protects both lists.
 */
#include "spare.h"

#include <errno.h>
#include <linux/futex.h>
#include <time.h>

#include "bound.h"
#include "carrier.h"
#include "hint.h"
#include "monitor.h"
#include "raw.h"
#include "signal.h"

enum { SPARES_KEPT = 2, SPARE_TIME = 100000000 /* ns */ };

static struct weft_lock spare_lock;
static struct weft_list spares = {&spares, &spares};
static struct weft_list retired = {&retired, &retired};
static unsigned spare_count;

struct carrier *weft_spare_take_retired(void)
{
    struct carrier *carrier = NULL;
    weft_lock_acquire(&spare_lock);
    if (!weft_list_empty(&retired)) {
        carrier = weft_container(retired.next, struct carrier, spare_node);
        if (__atomic_load_n(&carrier->tid, __ATOMIC_ACQUIRE) == 0)
            weft_list_remove(&carrier->spare_node);
        else
            carrier = NULL;
    }
    weft_lock_release(&spare_lock);
    return carrier;
}

void weft_spares_forget(void)
{
    weft_list_init(&spares);
    weft_list_init(&retired);
    spare_count = 0;
    spare_lock = (struct weft_lock){0};
}

void weft_carrier_give(struct carrier *carrier)
{
    __atomic_store_n(&carrier->tid, 0, __ATOMIC_RELEASE);
    weft_lock_acquire(&spare_lock);
    weft_list_append(&retired, &carrier->spare_node);
    weft_lock_release(&spare_lock);
}

static struct carrier *take_spare(void)
{
    struct carrier *carrier = NULL;
    weft_lock_acquire(&spare_lock);
    if (!weft_list_empty(&spares)) {
        carrier = weft_container(spares.next, struct carrier, spare_node);
        weft_list_remove(&carrier->spare_node);
        weft_hint_add(spare_count, -1);
    }
    weft_lock_release(&spare_lock);
    return carrier;
}

void weft_carrier_wake(void *argument)
{
    struct carrier *carrier = argument;
    atomic_store(&carrier->wake, WEFT_WAKE_EMPLOYED);
    weft_raw3(SYS_futex, (long)&carrier->wake, FUTEX_WAKE_PRIVATE, 1);
}

/* Starts what take_spare or weft_carrier_create has given, and has been told what to do. Returns 0, or -errno
 * when there is no kernel thread to be had. */
static int employ(struct carrier *carrier, bool spare)
{
    if (spare) {
        weft_carrier_wake(carrier);
        return 0;
    }
    /* This kernel thread may be a bound one. */
    return weft_bound_ever() ? weft_monitor_make(carrier) : weft_carrier_employ(carrier);
}

struct carrier *weft_spare_take_for(struct coroutine *hog)
{
    struct carrier *carrier = take_spare();
    if (carrier)
        carrier->beside = hog;
    return carrier;
}

int weft_carrier_adopt(struct processor *processor)
{
    struct carrier *spare = take_spare(), *carrier = spare ? spare : weft_carrier_create();
    if (!carrier)
        return -ENOMEM;
    carrier->processor = processor;
    weft_carrier_hold(processor, (uintptr_t)carrier | WEFT_IN);
    int result = employ(carrier, spare != NULL);
    if (result < 0) {
        atomic_store(&processor->owner, 0);
        weft_carrier_give(carrier);
    }
    return result;
}

int weft_carrier_depute(struct processor *processor)
{
    struct carrier *spare = take_spare(), *carrier = spare ? spare : weft_carrier_create();
    if (!carrier)
        return -ENOMEM;
    carrier->processor = NULL;
    carrier->deputy_of = processor;
    atomic_store(&processor->deputy, carrier);
    int result = employ(carrier, spare != NULL);
    if (result < 0) {
        atomic_store(&processor->deputy, NULL);
        carrier->deputy_of = NULL;
        weft_carrier_give(carrier);
    }
    return result;
}

bool weft_carrier_hand_on(struct carrier *carrier, struct processor *processor)
{
    atomic_store(&processor->owner, 0);
    if (weft_carrier_adopt(processor) == 0)
        return true;
    weft_carrier_hold(processor, (uintptr_t)carrier); /* no kernel thread to be had: all wait */
    return false;
}

/* Ends this kernel thread if it is still an unwanted spare. */
static void retire(struct carrier *carrier)
{
    weft_lock_acquire(&spare_lock);
    bool unwanted =
        spare_count > SPARES_KEPT + weft_processor_count && !weft_list_empty(&carrier->spare_node);
    if (unwanted) {
        weft_list_remove(&carrier->spare_node);
        weft_hint_add(spare_count, -1);
        weft_list_append(&retired, &carrier->spare_node);
    }
    weft_lock_release(&spare_lock);
    if (unwanted)
        weft_carrier_exit();
}

void weft_carrier_end(struct carrier *carrier)
{
    while (weft_carrier_is_first(carrier))
        weft_carrier_wait(carrier);
    weft_lock_acquire(&spare_lock);
    weft_list_append(&retired, &carrier->spare_node);
    weft_lock_release(&spare_lock);
    weft_carrier_exit();
}

/* One sleep of who waits to be woken, for `time` at most; NULL: for as long as it takes. */
static long wait_once(struct carrier *carrier, const struct timespec *time)
{
    /* The first kernel thread receives signals meanwhile; the others may be busy for long. */
    if (atomic_load(&weft_signals_arrived))
        weft_signals_distribute(NULL);
    weft_signal_mask_follow(carrier);
    return weft_raw4(SYS_futex, (long)&carrier->wake, FUTEX_WAIT_PRIVATE, 0, (long)time);
}

void weft_carrier_wait(struct carrier *carrier)
{
    while (atomic_exchange(&carrier->wake, 0) != WEFT_WAKE_EMPLOYED)
        wait_once(carrier, NULL);
}

void weft_spare_wait(struct carrier *carrier)
{
    bool first = weft_carrier_is_first(carrier);
    atomic_store(&carrier->is_parent, false);
    weft_lock_acquire(&spare_lock);
    weft_list_append(spares.next, &carrier->spare_node); /* before the first: the newest is the hottest */
    weft_hint_add(spare_count, 1);
    weft_lock_release(&spare_lock);
    while (atomic_exchange(&carrier->wake, 0) != WEFT_WAKE_EMPLOYED) {
        bool surplus = !first && !atomic_load(&carrier->is_parent) &&
                       __atomic_load_n(&spare_count, __ATOMIC_RELAXED) > SPARES_KEPT + weft_processor_count;
        const struct timespec time = {0, SPARE_TIME};
        if (wait_once(carrier, surplus ? &time : NULL) != -ETIMEDOUT)
            continue;
        /* First: who takes away the last of its children meanwhile sees it. */
        atomic_store(&carrier->is_parent, true);
        if (weft_carrier_has_children())
            continue;
        retire(carrier);
        atomic_store(&carrier->is_parent, false);
    }
}

void weft_carriers_lose_child(void)
{
    for (struct carrier *carrier = weft_carrier_first(); carrier; carrier = carrier->next_started) {
        unsigned asleep = WEFT_WAKE_NOT;
        if (!atomic_load(&carrier->is_parent) || !atomic_exchange(&carrier->is_parent, false))
            continue;
        atomic_compare_exchange_strong(&carrier->wake, &asleep, WEFT_WAKE_SIGNAL);
        weft_raw3(SYS_futex, (long)&carrier->wake, FUTEX_WAKE_PRIVATE, 1);
    }
}
