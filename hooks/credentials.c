/* SPDX-License-Identifier: MIT */
/*
 * setuid and its like. glibc has every thread make the call, by a signal, and last the one that wants it.
 * Here the first sets the ids of all carriers (core/credentials.h) and the others are told its result: made
 * twice, the second could be allowed more than the first (setuid(0) after it has made root effective again
 * sets all three). A program that makes the call itself, by syscall(2), changes those of one thread natively;
 * here it changes the process's.
 */
#include "../core/credentials.h"

#include "../core/visit.h"
#include "call.h"
#include "credentials.h"
#include "hooks.h"
#include "schedule.h"

/* The call that all threads make. There is one at a time: glibc holds a lock. */
static struct {
    _Atomic(struct coroutine *) wanted_by;
    atomic_int state;
    long result;
} common;

enum { TO_BE_MADE, UNDER_WAY, MADE };

static long set_ids(const struct weft_call *call)
{
    long result = weft_call_raw(call);
    if (result == 0) {
        weft_credentials_publish(weft_current->carrier);
        weft_probe_renew();
    }
    return result;
}

void weft_set_ids_announce(struct coroutine *self)
{
    if (atomic_load(&common.wanted_by) == self)
        return;
    atomic_store(&common.state, TO_BE_MADE);
    atomic_store(&common.wanted_by, self);
}

void weft_set_ids_restart(void)
{
    atomic_store(&common.wanted_by, NULL);
}

WEFT_HOOK(set_ids)
{
    struct coroutine *self = weft_current;
    int to_be_made = TO_BE_MADE;
    if (!atomic_load(&common.wanted_by))
        return set_ids(call);
    if (atomic_compare_exchange_strong(&common.state, &to_be_made, UNDER_WAY)) {
        common.result = set_ids(call);
        atomic_store(&common.state, MADE);
    }
    for (unsigned round = 0; atomic_load(&common.state) != MADE; round++)
        weft_visit_pause(round);
    long result = common.result;
    if (atomic_load(&common.wanted_by) == self)
        atomic_store(&common.wanted_by, NULL);
    return result;
}
