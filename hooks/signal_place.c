/* SPDX-License-Identifier: MIT */
/*
 * Where the program was when the kernel interrupted it, as the program may see it.
 *
 * Between a site and its hook, and where a call is left to the kernel, the place is a slot (trampoline.h) or
 * the begin of entry.S, which are program code as far as signals go: no hook has begun. A handler shall see
 * libc's own system call there. It is more than looks: glibc 2.41 acts on a cancellation at once only when
 * the interrupted place lies within __syscall_cancel_arch; shown ours it would let the thread wait for ever.
 *
 * All registers but rsp, rcx and r11 are those of the system call, and no frame of ours lies below rsp yet.
 * So showing the site's address and stack pointer makes the context that of libc, for unwinders too. When the
 * handler returns and has changed neither, the kernel goes back to where it was. A handler may also want the
 * program to make the call, or to go on behind it, where no such instruction is any more.
 */
#include <stddef.h>

#include "../preload/trampoline.h"
#include "signal.h"

extern const char weft_entry[], weft_entry_begun[], weft_entry_to_slot[], weft_entry_dropped_one[],
    weft_entry_dropped_all[], weft_entry_end[]; /* preload/entry.S */

enum { SYSCALL_LENGTH = 2 };

static uintptr_t word_at(uintptr_t address)
{
    return *(const uintptr_t *)address;
}

static uintptr_t site_of(const struct weft_slot *slot)
{
    return (uintptr_t)slot->site_next - SYSCALL_LENGTH;
}

/* The slot in which the address is. */
static const struct weft_slot *slot_at(uintptr_t address)
{
    return &weft_slots[(address - (uintptr_t)weft_slots) / WEFT_SLOT_SIZE];
}

/* Finds the place in a slot, and the slot; else NULL. */
static const struct weft_slot *find_in_slot(struct weft_place *place)
{
    if (place->rip - (uintptr_t)weft_slots >= sizeof weft_slots)
        return NULL;
    const struct weft_slot *slot = slot_at(place->rip);
    unsigned offset = (unsigned)(place->rip - (uintptr_t)slot);
    switch (offset) {
    case WEFT_SLOT_PUSH:
        place->rsp += WEFT_SLOT_RED_ZONE;
        break;
    case WEFT_SLOT_CALL:
        place->rsp += WEFT_SLOT_FRAME;
        break;
    case WEFT_SLOT_ENTER:
    case WEFT_SLOT_RAW:
        break;
    default:
        if (offset > WEFT_SLOT_ENTER)
            return NULL; /* behind the call */
        place->rip = site_of(slot) - (WEFT_SLOT_ENTER - offset);
        return slot;
    }
    place->rip = site_of(slot);
    return slot;
}

static const struct weft_slot *find_in_entry(struct weft_place *place, uintptr_t rcx)
{
    uintptr_t at = place->rip, frame = 0;
    const struct weft_slot *slot;
    if ((at >= (uintptr_t)weft_entry && at < (uintptr_t)weft_entry_begun) ||
        at == (uintptr_t)weft_entry_to_slot) {
        slot = slot_at(word_at(place->rsp));
        frame = WEFT_SLOT_ENTRY_FRAME;
    } else if (at >= (uintptr_t)weft_entry_dropped_one && at < (uintptr_t)weft_entry_end) {
        slot = slot_at(rcx);
        if (at < (uintptr_t)weft_entry_dropped_all)
            frame = WEFT_SLOT_FRAME;
    } else {
        return NULL;
    }
    place->rsp += frame;
    place->rip = site_of(slot);
    return slot;
}

void weft_place_show(struct weft_shown *shown, ucontext_t *context)
{
    greg_t *registers = context->uc_mcontext.gregs;
    shown->actual = shown->seen =
        (struct weft_place){(uintptr_t)registers[REG_RIP], (uintptr_t)registers[REG_RSP]};
    shown->slot = find_in_slot(&shown->seen);
    if (!shown->slot)
        shown->slot = find_in_entry(&shown->seen, (uintptr_t)registers[REG_RCX]);
    registers[REG_RIP] = (greg_t)shown->seen.rip;
    registers[REG_RSP] = (greg_t)shown->seen.rsp;
}

void weft_place_enter(const struct weft_slot *slot, ucontext_t *context)
{
    greg_t *place = &context->uc_mcontext.gregs[REG_RIP];
    if ((uintptr_t)*place == (uintptr_t)slot->site_next)
        *place = (greg_t)slot->after;
    else if ((uintptr_t)*place == site_of(slot))
        *place = (greg_t)slot->call;
}

void weft_place_restore(const struct weft_shown *shown, ucontext_t *context)
{
    greg_t *registers = context->uc_mcontext.gregs;
    if (!shown->slot)
        return;
    if ((uintptr_t)registers[REG_RIP] != shown->seen.rip ||
        (uintptr_t)registers[REG_RSP] != shown->seen.rsp) {
        weft_place_enter(shown->slot, context);
        return;
    }
    registers[REG_RIP] = (greg_t)shown->actual.rip;
    registers[REG_RSP] = (greg_t)shown->actual.rsp;
}
