/* SPDX-License-Identifier: MIT */
/*
 * setuid and its like. glibc has every thread make the call, by a signal, and last the one that wants it.
 * Here the first sets the ids of all carriers (core/credentials.h) and the others are told its result: made
 * twice, the second could be allowed more than the first (setuid(0) after it has made root effective again
 * sets all three). A program that makes the call itself, by syscall(2) while it has other threads, changes
 * those of one thread, which is bound from then on (core/bound.h) and makes glibc's calls for itself.
 */
#include "../core/credentials.h"

#include "../core/bound.h"
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

static long set_all(const struct weft_call *call)
{
    long result = weft_call_raw(call);
    if (result == 0) {
        weft_credentials_publish(weft_current->carrier);
        weft_probe_renew();
    }
    return result;
}

static bool is_another(struct coroutine *coroutine, const void *self)
{
    return coroutine != self;
}

static long set_own(const struct weft_call *call, struct coroutine *self)
{
    enum weft_bound before = self->bound;
    weft_bound_leave_shared(self);
    long result = weft_call_raw(call);
    if (result == 0)
        weft_bound_begin(self, WEFT_BOUND_HEIRS);
    else if (before == WEFT_UNBOUND && self->bound)
        weft_bound_release(self);
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
    long result;
    if (!atomic_load(&common.wanted_by))
        return weft_coroutine_search(is_another, self) ? set_own(call, self) : set_all(call);
    if (self->bound == WEFT_BOUND_HEIRS) {
        result = weft_call_raw(call);
    } else {
        if (atomic_compare_exchange_strong(&common.state, &to_be_made, UNDER_WAY)) {
            common.result = set_all(call);
            atomic_store(&common.state, MADE);
        }
        for (unsigned round = 0; atomic_load(&common.state) != MADE; round++)
            weft_visit_pause(round);
        result = common.result;
    }
    if (atomic_load(&common.wanted_by) == self)
        atomic_store(&common.wanted_by, NULL);
    return result;
}
