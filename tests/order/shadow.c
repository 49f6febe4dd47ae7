/* SPDX-License-Identifier: MIT */
/*
 * A cell for each 8 bytes of memory holds the last accesses to them: one for each thread, kind and set of
 * bytes. An access that happened before a later write to the same bytes need not be remembered: who races
 * with it races with the write too. A full cell forgets one by chance; so a race may be missed, but what is
 * reported is one.
 */
#include "shadow.h"

#include <stddef.h>
#include <sys/mman.h>

#include "../../core/log.h"
#include "../../core/raw.h"
#include "clock.h"

enum { SLOTS = 12, PAGE = 4096, PAGES = 1 << 18, REPORTS = 256 };

struct slot {
    uint64_t when;
    uint32_t pc;
    uint8_t bytes; /* a set; 0: free */
    uint8_t kind, thread;
};

struct cell {
    struct slot slots[SLOTS];
};

static struct page {
    _Atomic uintptr_t number;
    struct cell *_Atomic cells;
} pages[PAGES];

uintptr_t order_bias;
bool order_ends_at_once;

static struct report {
    uint32_t now, before;
} reports[REPORTS];
static unsigned reported;

unsigned order_races(void)
{
    return reported;
}

static struct cell *map_cells(void)
{
    long result = weft_raw6(SYS_mmap, 0, PAGE / 8 * sizeof(struct cell), PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (result < 0 && result > -4096)
        order_give_up("no memory");
    return (struct cell *)result;
}

static struct cell *cells_of(uintptr_t number)
{
    for (uint64_t place = number * UINT64_C(0x9e3779b97f4a7c15) >> 46;; place++) {
        struct page *page = &pages[place % PAGES];
        uintptr_t is = atomic_load_explicit(&page->number, memory_order_acquire);
        if (is == 0 && !atomic_compare_exchange_strong(&page->number, &is, number) && is != number)
            continue;
        if (is != 0 && is != number)
            continue;
        struct cell *cells = atomic_load_explicit(&page->cells, memory_order_acquire), *nothing = NULL;
        if (cells)
            return cells;
        cells = map_cells();
        if (!atomic_compare_exchange_strong(&page->cells, &nothing, cells)) {
            weft_raw2(SYS_munmap, (long)cells, PAGE / 8 * sizeof(struct cell));
            cells = nothing;
        }
        return cells;
    }
}

static void say_access(struct weft_line *line, unsigned kind, uint32_t pc, unsigned thread)
{
    weft_line_text(line, kind & ORDER_ATOMIC ? "atomic " : "plain ");
    weft_line_text(line, kind & ORDER_WRITE ? "write" : "read");
    weft_line_text(line, " pc=");
    weft_line_number(line, pc);
    weft_line_text(line, " thread=");
    weft_line_number(line, thread);
}

/* With the lock held that nobody's address has: 0. */
static bool is_new(uint32_t now, uint32_t before)
{
    for (unsigned i = 0; i < reported; i++)
        if (reports[i].now == now && reports[i].before == before)
            return false;
    if (reported == REPORTS)
        return false;
    reports[reported++] = (struct report){now, before};
    return true;
}

static void report(uintptr_t address, unsigned kind, uint32_t pc, const struct slot *before)
{
    if (!order_lock(0))
        return;
    bool say = is_new(pc, before->pc);
    order_unlock(0);
    if (!say)
        return;
    struct weft_line line = {0};
    weft_line_text(&line, "order: race: address=");
    weft_line_number(&line, (long)address);
    weft_line_text(&line, "; ");
    say_access(&line, kind, pc, order_thread()->index);
    weft_line_text(&line, "; ");
    say_access(&line, before->kind, before->pc, before->thread);
    weft_line_text(&line, "\n");
    weft_line_write(&line, 2);
    if (order_ends_at_once)
        weft_raw1(SYS_exit_group, 66);
}

static bool conflict(const struct slot *slot, uint8_t bytes, unsigned kind)
{
    return slot->bytes & bytes && (slot->kind | kind) & ORDER_WRITE && !(slot->kind & kind & ORDER_ATOMIC);
}

static void access_cell(struct cell *cell, uintptr_t address, uint8_t bytes, unsigned kind, uint32_t pc)
{
    struct order_thread *self = order_thread();
    struct slot *place = NULL, raced = {0};
    if (!order_lock(address))
        return;
    for (int i = 0; i < SLOTS; i++) {
        struct slot *slot = &cell->slots[i];
        if (!slot->bytes) {
            place = place ? place : slot;
            continue;
        }
        bool mine = slot->thread == self->index, before = self->now.of[slot->thread] >= slot->when;
        if (!mine && !before && conflict(slot, bytes, kind))
            raced = *slot;
        if ((mine && slot->bytes == bytes && slot->kind == kind) ||
            (before && kind == ORDER_WRITE && !(slot->bytes & ~bytes))) {
            slot->bytes = 0;
            place = slot;
        }
    }
    if (!place)
        place = &cell->slots[__builtin_ia32_rdtsc() / 2 % SLOTS];
    *place = (struct slot){.when = self->now.of[self->index],
                           .pc = pc,
                           .bytes = bytes,
                           .kind = (uint8_t)kind,
                           .thread = (uint8_t)self->index};
    order_unlock(address);
    if (raced.bytes)
        report(address, kind, pc, &raced);
}

void order_access(uintptr_t address, uintptr_t size, unsigned kind, uintptr_t pc)
{
    uintptr_t end = address + size;
    while (address < end) {
        uintptr_t granule = address & ~(uintptr_t)7, next = granule + 8 < end ? granule + 8 : end;
        uint8_t bytes = (uint8_t)((0xffu >> (8 - (next - address))) << (address - granule));
        struct cell *cells = cells_of(granule / PAGE);
        access_cell(&cells[granule % PAGE / 8], granule, bytes, kind, (uint32_t)(pc - order_bias));
        address = next;
    }
}
