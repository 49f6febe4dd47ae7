/* SPDX-License-Identifier: MIT */
/* See shares.h. */
#include "shares.h"

#include "carrier.h"
#include "machine.h"
#include "parallelism.h"

enum {
    AWAKE = 90,     /* percent of a window during which one that always has work does not sleep */
    MOST_BESIDE = 4 /* carriers without a processor that are looked at, for each processor: there may be
                       thousands in the kernel, and hogs are fewer (hog.h) */
};

/* What was read at the begin of a window. */
static struct {
    struct carrier *carrier;
    uint64_t slept;
} begin[WEFT_PROCESSORS_LIMIT];
static uint64_t begun; /* time-stamp counter */

static struct carrier *owner_of(const struct processor *processor)
{
    return (struct carrier *)(atomic_load(&processor->owner) & ~WEFT_FLAGS);
}

static uint64_t cycles_slept(const struct processor *processor, uint64_t tsc)
{
    uint64_t since = __atomic_load_n(&processor->asleep_since, __ATOMIC_RELAXED);
    return __atomic_load_n(&processor->cycles_slept, __ATOMIC_RELAXED) +
           (since && since < tsc ? tsc - since : 0);
}

/* Those that have a processor now. */
static void note_workers(void)
{
    for (unsigned i = 0; i < weft_processor_count; i++) {
        struct carrier *carrier = owner_of(&weft_processors[i]);
        if (carrier)
            carrier->window.worked = true;
    }
}

void weft_shares_begin(void)
{
    begun = __builtin_ia32_rdtsc();
    for (struct carrier *carrier = weft_carrier_first(); carrier; carrier = carrier->next_started)
        carrier->window.worked = false;
    note_workers();
    unsigned beside = 0;
    for (struct carrier *carrier = weft_carrier_first(); carrier; carrier = carrier->next_started) {
        bool computes = !carrier->window.worked && __atomic_load_n(&carrier->running, __ATOMIC_RELAXED) &&
                        !atomic_load_explicit(&carrier->in_kernel, memory_order_relaxed);
        bool runs = carrier->window.worked || (computes && beside++ < MOST_BESIDE * weft_processor_count);
        bool alive = __atomic_load_n(&carrier->tid, __ATOMIC_RELAXED);
        carrier->window.cpu = runs && alive ? weft_carrier_cpu_time(carrier) : -1;
    }
    for (unsigned i = 0; i < atomic_load(&weft_parallelism); i++) {
        begin[i].carrier = owner_of(&weft_processors[i]);
        begin[i].slept = cycles_slept(&weft_processors[i], begun);
    }
}

/* What it got of a CPU, in percent. */
static unsigned share_of(const struct carrier *carrier, int64_t span)
{
    int64_t cpu = carrier->window.cpu < 0 ? -1 : weft_carrier_cpu_time(carrier);
    return cpu < carrier->window.cpu ? 0 : (unsigned)((cpu - carrier->window.cpu) * 100 / span);
}

struct weft_shares weft_shares_end(int64_t span)
{
    struct weft_shares shares = {0};
    uint64_t tsc = __builtin_ia32_rdtsc(), cycles = tsc - begun;
    note_workers();
    for (struct carrier *carrier = weft_carrier_first(); carrier; carrier = carrier->next_started) {
        carrier->window.share = share_of(carrier, span);
        if (carrier->window.worked)
            shares.work += carrier->window.share;
        else
            shares.beside += carrier->window.share;
    }
    for (unsigned i = 0; i < atomic_load(&weft_parallelism); i++) {
        struct carrier *carrier = begin[i].carrier;
        if (!carrier || owner_of(&weft_processors[i]) != carrier || carrier->window.cpu < 0)
            continue; /* it changed hands: where it waited is not known */
        uint64_t slept = cycles_slept(&weft_processors[i], tsc) - begin[i].slept;
        shares.known++;
        shares.cpu += carrier->window.share;
        if (slept * 100 <= cycles * (100 - AWAKE)) {
            shares.awake++;
            shares.got += carrier->window.share;
        }
    }
    return shares;
}
