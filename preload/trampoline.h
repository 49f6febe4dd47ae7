/* SPDX-License-Identifier: MIT */
/*
 * The layout of a trampoline slot, shared by trampoline.S and the C that fills the slots in.
 *
 *       0  before[16]              the displaced instructions that stood before the syscall, ending at 16;
 *                                  libc's jump leads to the first of them, so nothing is executed in vain
 *      16  lea  -128(%rsp),%rsp    step over the red zone
 *      21  push site_next(%rip)    the address behind the syscall instruction, as a return address
 *      27  call weft_entry
 *      32  lea  136(%rsp),%rsp     drop both
 *      40  jmp  after
 *      42  syscall                 the raw path: an entry that has put back every register (rsp = the
 *                                  site's) may jump here; a child's stack must not need ours
 *      44  after[24]               the displaced instructions that stood after the syscall, and directly
 *                                  behind them (at 68 at the latest) `jmp rel32` to the end of the window
 *      80  .quad site_next
 *      88  .quad back              the end of the window, where libc goes on
 *
 * What weft_entry finds on the stack:
 *
 *      rsp+144   the site's rsp; below it 128 bytes of red zone, not to be touched
 *      rsp+8     site_next: for an unwinder, a return address into libc's function
 *      rsp+0     slot+32
 *
 * The slots fill whole pages of their own, so that making them writable for a moment never takes the
 * right to execute from code that runs. Includable from C and from assembly.
 */
#ifndef WEFT_PRELOAD_TRAMPOLINE_H
#define WEFT_PRELOAD_TRAMPOLINE_H

#define WEFT_SLOT_COUNT 1024
#define WEFT_SLOT_SIZE  96

#define WEFT_SLOT_BEFORE    0
#define WEFT_SLOT_ENTER     16
#define WEFT_SLOT_PUSH      21
#define WEFT_SLOT_CALL      27
#define WEFT_SLOT_RETURN    32
#define WEFT_SLOT_SKIP      40
#define WEFT_SLOT_RAW       42
#define WEFT_SLOT_AFTER     44
#define WEFT_SLOT_BACK_JUMP 68
#define WEFT_SLOT_SITE_NEXT 80
#define WEFT_SLOT_BACK      88

#define WEFT_SLOT_BEFORE_SIZE 16
#define WEFT_SLOT_AFTER_SIZE  24

#define WEFT_SLOT_RED_ZONE 128
/* From the stack pointer at `call weft_entry` to the site's stack pointer. */
#define WEFT_SLOT_FRAME 136
/* From the stack pointer at weft_entry's first instruction to the site's stack pointer. */
#define WEFT_SLOT_ENTRY_FRAME 144

#ifndef __ASSEMBLER__

#include <stddef.h>
#include <stdint.h>

struct weft_slot {
    uint8_t before[WEFT_SLOT_BEFORE_SIZE];
    uint8_t call[WEFT_SLOT_RAW - WEFT_SLOT_ENTER];
    uint8_t raw[2];
    uint8_t after[WEFT_SLOT_AFTER_SIZE];
    uint8_t back_jump[WEFT_SLOT_SITE_NEXT - WEFT_SLOT_BACK_JUMP];
    const uint8_t *site_next;
    const uint8_t *back;
};

_Static_assert(sizeof(struct weft_slot) == WEFT_SLOT_SIZE, "slot size");
_Static_assert(offsetof(struct weft_slot, call) == WEFT_SLOT_ENTER, "slot.call");
_Static_assert(offsetof(struct weft_slot, raw) == WEFT_SLOT_RAW, "slot.raw");
_Static_assert(offsetof(struct weft_slot, after) == WEFT_SLOT_AFTER, "slot.after");
_Static_assert(offsetof(struct weft_slot, back_jump) == WEFT_SLOT_BACK_JUMP, "slot.back_jump");
_Static_assert(offsetof(struct weft_slot, site_next) == WEFT_SLOT_SITE_NEXT, "slot.site_next");
_Static_assert(offsetof(struct weft_slot, back) == WEFT_SLOT_BACK, "slot.back");
_Static_assert(WEFT_SLOT_COUNT *WEFT_SLOT_SIZE % 4096 == 0, "the slots fill whole pages");

/* The slots, page aligned, in this object's text. An unused slot traps. */
extern __attribute__((visibility("hidden"))) struct weft_slot weft_slots[WEFT_SLOT_COUNT];

#endif
#endif
