/* SPDX-License-Identifier: MIT */
/* See errand.h. There is one at a time. */
#include "errand.h"

#include "raw.h"
#include "signal.h"
#include "visit.h"

static struct {
    atomic_bool taken;                       /* by the caller, until it has the result */
    _Atomic(const struct carrier *) carrier; /* who is to run it, until it does */
    long number, arguments[6], result;
    atomic_bool done;
} errand;

static void take(void)
{
    for (unsigned round = 0; atomic_exchange(&errand.taken, true); round++)
        weft_visit_pause(round);
}

long weft_errand(struct carrier *carrier, long number, const long *arguments)
{
    take();
    errand.number = number;
    for (int i = 0; i < 6; i++)
        errand.arguments[i] = arguments[i];
    atomic_store(&errand.done, false);
    atomic_store(&errand.carrier, carrier);
    int tid = __atomic_load_n(&carrier->tid, __ATOMIC_ACQUIRE);
    long result = weft_raw3(SYS_tgkill, weft_raw0(SYS_getpid), tid, WEFT_SIGNAL_KICK);
    if (result == 0) {
        for (unsigned round = 0; !atomic_load(&errand.done); round++)
            weft_visit_pause(round);
        result = errand.result;
    }
    atomic_store(&errand.carrier, NULL);
    atomic_store(&errand.taken, false);
    return result;
}

void weft_errand_serve(const struct carrier *carrier)
{
    const struct carrier *wanted = carrier;
    const long *a = errand.arguments;
    if (!carrier || !atomic_compare_exchange_strong(&errand.carrier, &wanted, NULL))
        return;
    errand.result = weft_raw6(errand.number, a[0], a[1], a[2], a[3], a[4], a[5]);
    atomic_store(&errand.done, true);
}

void weft_errands_forget(void)
{
    atomic_store(&errand.carrier, NULL);
    atomic_store(&errand.taken, false);
}
