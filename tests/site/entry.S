/* SPDX-License-Identifier: MIT */
/*
 * A weft_entry for tests: counts the call, and does it. It keeps the kernel's contract (every register but
 * rax, rcx and r11, and the flags).
 *
 *      rsp+144   the site's stack pointer
 *      rsp+8     site_next
 *      rsp+0     slot+32
 *
 * clone, clone3 and vfork go through the slot's own syscall instruction with the site's stack pointer. The call
 * number that test_hook_number holds goes through test_hook first, which may unwind.
 */
#include "../../preload/trampoline.h"

	.text
	.hidden	weft_entry
	.globl	weft_entry
	.type	weft_entry, @function
weft_entry:
	.cfi_startproc
	pushfq
	.cfi_def_cfa_offset 16
	cmp	$600, %rax
	jae	1f
	mov	test_calls@GOTPCREL(%rip), %rcx
	lock incq (%rcx,%rax,8)
1:	cmp	$435, %eax
	je	raw
	cmp	$56, %eax
	je	raw
	cmp	$58, %eax
	je	raw
	mov	test_hook_number@GOTPCREL(%rip), %rcx
	cmp	%eax, (%rcx)
	je	hook
	popfq
	.cfi_def_cfa_offset 8
	syscall
	ret

raw:	.cfi_def_cfa_offset 16
	popfq
	.cfi_def_cfa_offset 8
	mov	(%rsp), %rcx
	lea	WEFT_SLOT_RAW-WEFT_SLOT_RETURN(%rcx), %rcx
	lea	WEFT_SLOT_ENTRY_FRAME(%rsp), %rsp
	.cfi_def_cfa rsp, 0
	.cfi_undefined rip
	jmp	*%rcx

hook:	.cfi_def_cfa rsp, 16
	.cfi_offset rip, -8
	push	%rbp
	.cfi_def_cfa_offset 24
	.cfi_offset rbp, -24
	mov	%rsp, %rbp
	.cfi_def_cfa_register rbp
	push	%rax
	push	%rdi
	push	%rsi
	push	%rdx
	push	%r8
	push	%r9
	push	%r10
	push	%rbx
	mov	%rsp, %rbx
	and	$-16, %rsp
	mov	test_hook@GOTPCREL(%rip), %rax
	call	*(%rax)
	mov	%rbx, %rsp
	pop	%rbx
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rdx
	pop	%rsi
	pop	%rdi
	pop	%rax
	pop	%rbp
	.cfi_def_cfa rsp, 16
	.cfi_restore rbp
	popfq
	.cfi_def_cfa_offset 8
	syscall
	ret
	.cfi_endproc
	.size	weft_entry, . - weft_entry

	.bss
	.balign	8
	.globl	test_calls, test_hook
	.type	test_calls, @object
	.type	test_hook, @object
test_calls:
	.fill	600, 8
	.size	test_calls, 4800
test_hook:
	.quad	0
	.size	test_hook, 8

	.data
	.globl	test_hook_number
	.type	test_hook_number, @object
test_hook_number:
	.long	-1
	.size	test_hook_number, 4

	.section .note.GNU-stack, "", @progbits
