/* SPDX-License-Identifier: MIT */
#include "clock.h"

#include <stddef.h>

#include "../../core/log.h"
#include "../../core/raw.h"

#define ARCH_SET_GS 0x1001

enum { LOCKS = 4096, RELEASES = 1 << 16, SPINS = 200 };

static struct order_thread threads[ORDER_THREADS];
atomic_uint order_threads;
static atomic_flag locks[LOCKS];

static struct release {
    _Atomic uintptr_t address;
    struct order_clock clock;
} releases[RELEASES];

void order_give_up(const char *why)
{
    struct weft_line line = {0};
    weft_line_text(&line, "order: ");
    weft_line_text(&line, why);
    weft_line_text(&line, "\n");
    weft_line_write(&line, 2);
    for (;;)
        weft_raw1(SYS_exit_group, 70);
}

struct order_thread *order_thread_take(uintptr_t fs_base)
{
    unsigned used = atomic_load(&order_threads);
    for (unsigned i = 0; i < used; i++)
        if (threads[i].fs_base == fs_base)
            return &threads[i];
    unsigned index = atomic_fetch_add(&order_threads, 1);
    if (index >= ORDER_THREADS)
        order_give_up("more kernel threads than clocks");
    struct order_thread *thread = &threads[index];
    thread->self = thread;
    thread->index = index;
    thread->fs_base = fs_base;
    thread->now.of[index] = 1;
    return thread;
}

void order_thread_begin(struct order_thread *thread)
{
    weft_raw2(SYS_arch_prctl, ARCH_SET_GS, (long)thread);
}

static uint64_t scatter(uintptr_t address)
{
    return (address >> 3) * UINT64_C(0x9e3779b97f4a7c15);
}

bool order_lock(uintptr_t address)
{
    struct order_thread *self = order_thread();
    atomic_flag *flag = &locks[scatter(address) >> 52];
    for (unsigned i = 0; i < self->depth; i++)
        if (self->held[i] == flag)
            return false;
    if (self->depth == ORDER_DEPTH)
        order_give_up("handlers within handlers");
    self->held[self->depth] = flag;
    atomic_signal_fence(memory_order_seq_cst);
    self->depth++;
    atomic_signal_fence(memory_order_seq_cst);
    for (unsigned round = 0; atomic_flag_test_and_set_explicit(flag, memory_order_acquire); round++)
        if (round < SPINS)
            __builtin_ia32_pause();
        else
            weft_raw0(SYS_sched_yield);
    return true;
}

void order_unlock(uintptr_t address)
{
    atomic_flag_clear_explicit(&locks[scatter(address) >> 52], memory_order_release);
    atomic_signal_fence(memory_order_seq_cst);
    order_thread()->depth--;
}

struct order_clock *order_released_at(uintptr_t address)
{
    uint64_t place = scatter(address) >> 48;
    for (unsigned tries = 0; tries < RELEASES; tries++, place++) {
        struct release *release = &releases[place % RELEASES];
        uintptr_t is = atomic_load(&release->address);
        if (is == address ||
            (is == 0 && (atomic_compare_exchange_strong(&release->address, &is, address) || is == address)))
            return &release->clock;
    }
    order_give_up("more atomic objects than places for them");
}
