/* SPDX-License-Identifier: MIT */
/* See place.h. */
#include "place.h"

#include <string.h>

#include "carrier.h"
#include "hint.h"
#include "lock.h"
#include "parallelism.h"
#include "raw.h"

enum { CPUS = 1024, WORDS = CPUS / 64 };

enum { CONSENT = 16 /* peers in a row, to go where they are */ };

static struct weft_lock lock;
static uint64_t everywhere[WORDS]; /* the process's CPUs when pinning began; protected by the lock */
static long bytes;                 /* of these, as many as the kernel has; likewise */
static atomic_bool placed, ever;
static atomic_bool with_peers; /* one processor is left, without a CPU of its own */

static bool contains(const uint64_t *mask, int cpu)
{
    return mask[cpu / 64] >> cpu % 64 & 1;
}

bool weft_place_begin(void)
{
    uint64_t mask[WORDS] = {0};
    long size = weft_raw3(SYS_sched_getaffinity, 0, sizeof mask, (long)mask);
    unsigned count = 0;
    for (int i = 0; i < WORDS; i++)
        count += (unsigned)__builtin_popcountll(mask[i]);
    if (size < 0 || count != weft_processor_count || count < 2)
        return false;
    weft_lock_acquire(&lock);
    for (int i = 0; i < WORDS; i++)
        everywhere[i] = mask[i];
    bytes = size;
    weft_lock_release(&lock);
    atomic_store(&ever, true);
    unsigned index = 0, active = atomic_load(&weft_parallelism);
    atomic_store(&with_peers, active == 1);
    for (int cpu = 0; cpu < CPUS && index < active; cpu++)
        if (contains(mask, cpu))
            weft_hint_set(weft_processors[index++].cpu, cpu);
    atomic_store(&placed, true);
    return true;
}

void weft_place_end(void)
{
    weft_lock_acquire(&lock); /* against weft_place_draw */
    atomic_store(&placed, false);
    for (unsigned i = 0; i < weft_processor_count; i++)
        weft_hint_set(weft_processors[i].cpu, WEFT_ANYWHERE);
    weft_lock_release(&lock);
    for (struct carrier *carrier = weft_carrier_first(); carrier; carrier = carrier->next_started)
        weft_place_release(carrier);
}

bool weft_placed(void)
{
    return atomic_load_explicit(&placed, memory_order_relaxed);
}

void weft_place_forget(void)
{
    lock = (struct weft_lock){0};
    atomic_store(&placed, false);
    for (unsigned i = 0; i < weft_processor_count; i++)
        weft_hint_set(weft_processors[i].cpu, WEFT_ANYWHERE);
}

void weft_place_begin_thread(struct carrier *carrier)
{
    weft_lock_acquire(&lock);
    weft_hint_set(carrier->cpu, WEFT_ANYWHERE);
    if (atomic_load(&ever))
        weft_raw3(SYS_sched_setaffinity, 0, bytes, (long)everywhere);
    weft_lock_release(&lock);
}

/* Nobody else has changed what we have set. With the lock held. */
static bool is_pinned(int tid, int cpu)
{
    uint64_t mask[WORDS] = {0};
    if (weft_raw3(SYS_sched_getaffinity, tid, sizeof mask, (long)mask) < 0 || !contains(mask, cpu))
        return false;
    unsigned count = 0;
    for (int i = 0; i < WORDS; i++)
        count += (unsigned)__builtin_popcountll(mask[i]);
    return count == 1;
}

void weft_place_move(struct carrier *carrier, int cpu)
{
    weft_lock_acquire(&lock);
    int tid = __atomic_load_n(&carrier->tid, __ATOMIC_RELAXED), before = carrier->cpu;
    if (before == cpu || !tid) {
        /* somebody was faster, or it has ended */
    } else if (cpu != WEFT_ANYWHERE) {
        uint64_t mask[WORDS] = {0};
        mask[cpu / 64] = UINT64_C(1) << cpu % 64;
        weft_raw3(SYS_sched_setaffinity, tid, bytes, (long)mask);
    } else if (is_pinned(tid, before)) {
        weft_raw3(SYS_sched_setaffinity, tid, bytes, (long)everywhere);
    }
    weft_hint_set(carrier->cpu, cpu);
    weft_lock_release(&lock);
}

/* Sends the kernel thread to other CPUs, from where it may come back. With the lock held. */
static void send_away(int tid, int cpu)
{
    uint64_t mask[WORDS] = {0};
    if (weft_raw3(SYS_sched_getaffinity, tid, sizeof mask, (long)mask) != bytes ||
        memcmp(mask, everywhere, sizeof mask) != 0)
        return; /* as somebody else has set it */
    mask[cpu / 64] &= ~(UINT64_C(1) << cpu % 64);
    weft_raw3(SYS_sched_setaffinity, tid, bytes, (long)mask);
    weft_raw3(SYS_sched_setaffinity, tid, bytes, (long)everywhere);
}

void weft_place_look(void)
{
    static int cleared = WEFT_ANYWHERE;
    int cpu = atomic_load(&with_peers) && weft_placed()
                  ? __atomic_load_n(&weft_processors[0].cpu, __ATOMIC_RELAXED)
                  : WEFT_ANYWHERE;
    if (cpu == cleared)
        return;
    cleared = cpu;
    if (cpu == WEFT_ANYWHERE)
        return;
    weft_lock_acquire(&lock);
    for (struct carrier *carrier = weft_carrier_first(); carrier; carrier = carrier->next_started) {
        int tid = __atomic_load_n(&carrier->tid, __ATOMIC_RELAXED);
        if (tid && carrier->cpu == WEFT_ANYWHERE)
            send_away(tid, cpu);
    }
    weft_lock_release(&lock);
}

/* Unless pinning has just ended, or we may not run there. */
static void go(struct processor *processor, int cpu)
{
    weft_lock_acquire(&lock);
    if (weft_placed() && cpu < CPUS && contains(everywhere, cpu))
        weft_hint_set(processor->cpu, cpu);
    weft_lock_release(&lock);
}

bool weft_place_draw(struct processor *processor, int cpu)
{
    if (!atomic_load_explicit(&with_peers, memory_order_relaxed))
        return false;
    processor->draws = processor->drawn_to == cpu ? processor->draws + 1 : 1;
    processor->drawn_to = (int16_t)cpu;
    if (processor->draws == CONSENT) {
        processor->draws = 0;
        if (__atomic_load_n(&processor->cpu, __ATOMIC_RELAXED) != cpu)
            go(processor, cpu);
    }
    return true;
}

struct processor *weft_place_processor(int cpu)
{
    for (unsigned i = 0; i < weft_processor_count; i++)
        if (__atomic_load_n(&weft_processors[i].cpu, __ATOMIC_RELAXED) == cpu)
            return &weft_processors[i];
    return NULL;
}
