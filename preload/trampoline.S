/* SPDX-License-Identifier: MIT */
/*
 * The trampoline slots; trampoline.h draws one. Here they are empty (they trap); site_window.c makes
 * their contents and site_patch.c writes them.
 *
 * Each slot has a frame description of its own. From `push` to the second `lea` the frame is the
 * site's: its CFA is the site's rsp, its return address the pushed site_next, which points just behind
 * the syscall instruction. An unwinder looks that address up minus one, finds libc's own description of
 * the function at its syscall instruction, where rsp was the same, and goes on from there. Where no return
 * address is on the stack it is undefined: a backtrace ends there, as it does in a signal frame's target
 * without information, instead of inventing a caller.
 */
#include "trampoline.h"

	.section .text.weft_slots, "ax", @progbits
	.balign	4096
	.hidden	weft_entry
	.hidden	weft_slots
	.globl	weft_slots
	.type	weft_slots, @function
weft_slots:
	.rept	WEFT_SLOT_COUNT
1:
	.cfi_startproc simple
	.cfi_def_cfa rsp, 0
	.cfi_undefined rip
	.fill	WEFT_SLOT_BEFORE_SIZE, 1, 0xcc
	.org	1b + WEFT_SLOT_ENTER
	lea	-WEFT_SLOT_RED_ZONE(%rsp), %rsp
	.cfi_def_cfa_offset WEFT_SLOT_RED_ZONE
	.org	1b + WEFT_SLOT_PUSH
	push	2f(%rip)
	.cfi_def_cfa_offset WEFT_SLOT_FRAME
	.cfi_offset rip, -WEFT_SLOT_FRAME
	.org	1b + WEFT_SLOT_CALL
	call	weft_entry
	.org	1b + WEFT_SLOT_RETURN
	lea	WEFT_SLOT_FRAME(%rsp), %rsp
	.cfi_def_cfa_offset 0
	.cfi_undefined rip
	.org	1b + WEFT_SLOT_SKIP
	.byte	0xeb, WEFT_SLOT_AFTER - WEFT_SLOT_RAW	/* jmp after, always the short form */
	.org	1b + WEFT_SLOT_RAW
	syscall
	.org	1b + WEFT_SLOT_AFTER
	.fill	WEFT_SLOT_SITE_NEXT - WEFT_SLOT_AFTER, 1, 0xcc
	.org	1b + WEFT_SLOT_SITE_NEXT
2:	.quad	0
	.org	1b + WEFT_SLOT_BACK
	.quad	0
	.org	1b + WEFT_SLOT_SIZE
	.cfi_endproc
	.endr
	.size	weft_slots, . - weft_slots

	.section .note.GNU-stack, "", @progbits
