/* SPDX-License-Identifier: MIT */
/*
 * Functions with one peculiarity each, on pages of their own, for site_test.c to redirect and call. The
 * label NAME_site stands at the syscall instruction that the test asks about.
 *
 * Unless stated otherwise a function takes the call's number in edi where it is not constant, and returns
 * what the kernel returned.
 */
	.macro	function name
	.balign	16
	.globl	\name
	.type	\name, @function
\name:	.cfi_startproc
	.endm

	.macro	done name
	.cfi_endproc
	.size	\name, . - \name
	.endm

	.macro	site name
	.globl	\name\()_site
	.type	\name\()_site, @object
	.size	\name\()_site, 2
\name\()_site:
	syscall
	.endm

	/* A jump in its short form; clang -O0 writes all jumps in the long one. */
	.macro	short opcode, target
	.byte	\opcode
	.byte	\target - . - 1
	.endm
#define JMP	0xeb
#define JE	0x74
#define JS	0x78

	.section .text.synthetic, "ax", @progbits
	.balign	4096
	.globl	synthetic_start, synthetic_end
	.type	synthetic_start, @object
	.type	synthetic_end, @object
	.size	synthetic_start, synthetic_end - synthetic_start
	.size	synthetic_end, 0
synthetic_start:

	function mov_syscall		/* shape A, and a first byte that is jumped to */
	mov	$2, %r8d
1:	mov	$39, %eax
	site	mov_syscall
	dec	%r8d
	jnz	1b
	ret
	done	mov_syscall

	function mov64_syscall		/* shape A, 48 c7 c0 */
	.byte	0x48, 0xc7, 0xc0
	.long	39
	site	mov64_syscall
	ret
	done	mov64_syscall

	function syscall_cmp		/* shape B */
	mov	%edi, %eax
	site	syscall_cmp
	cmp	$-4096, %rax
	ja	1f
	ret
1:	mov	$-1, %eax
	ret
	done	syscall_cmp

	function rex_mov		/* mov $39,%r8d looks like shape A behind a REX prefix; the number is 102 */
	mov	$102, %eax
	mov	$39, %r8d
	site	rex_mov
	ret
	done	rex_mov

	function rip_before		/* *rdi = the result; returns the word that rdx points to */
	mov	$39, %eax
	lea	word(%rip), %rdx
	site	rip_before
	mov	%rax, (%rdi)
	mov	(%rdx), %eax
	ret
	done	rip_before

	function rip_after		/* a jump to the syscall; behind it a compare with memory and an immediate */
	mov	%edi, %eax
	cmp	$600, %eax
	short	JE, 1f
	mov	$0, %edx
1:
	site	rip_after
	cmpl	$1234, word(%rip)
	sete	%al
	movzbl	%al, %eax
	ret
	done	rip_after

	function retry_loop		/* like a futex retry: the syscall is jumped to, the compare behind it moves */
	mov	%edi, %eax
1:
	site	retry_loop
	cmp	$-4, %rax
	short	JE, 1b
	ret
	done	retry_loop

	function jcc_after		/* a short jcc moves and becomes a long one; 1 for errors, else 0 */
	mov	%edi, %eax
1:
	site	jcc_after
	test	%eax, %eax
	short	JS, 2f
	xor	%eax, %eax
	ret
2:	mov	$1, %eax
	ret
	short	JMP, 1b
	done	jcc_after

	function jmp_after		/* an unconditional jump moves; adds 1000 to the result */
	mov	%edi, %eax
1:
	site	jmp_after
	inc	%eax
	short	JMP, 2f
	mov	$0, %eax
	short	JMP, 1b
2:	add	$999, %eax
	ret
	done	jmp_after

	function jumped_into		/* no window: jumps enter on both sides of the syscall */
	mov	%edi, %eax
	test	%edi, %edi
	short	JS, 2f
	cmp	$10000, %edi
	short	JE, 1f
	cmp	$10001, %edi
	short	JE, 2f
1:
	site	jumped_into
2:	nop
	nop
	nop
	ret
	done	jumped_into

	function cold_jump		/* the jump is in another function; the window lies behind the syscall */
	mov	%edi, %eax
	cmp	$102, %edi
	.byte	0x0f, 0x84		/* je cold, long */
	.long	cold - . - 4
	mov	$39, %eax
cold_back:
	site	cold_jump
	mov	%rax, %rdx
	mov	%rdx, %rax
	ret
	done	cold_jump

	.skip	200, 0xcc
	function cold
	mov	$102, %eax
	.byte	0xe9			/* jmp, long */
	.long	cold_back - . - 4
	done	cold

	function fake_jump		/* eb 03 in an immediate would enter the window, were it a jump */
	mov	$0x3eb, %ecx
	mov	$39, %eax
	site	fake_jump
	ret
	done	fake_jump

	function jump_table		/* a case of the switch starts at the syscall */
	lea	table(%rip), %rdx
	movslq	(%rdx,%rdi,4), %rcx
	add	%rdx, %rcx
	mov	$102, %eax
	jmp	*%rcx
table_39:
	mov	$39, %eax
table_102:
	site	jump_table
	mov	%rax, %rdx
	mov	%rdx, %rax
	ret
	done	jump_table

	function between_calls		/* no window: a call before the syscall, ret behind it */
	sub	$8, %rsp
	.cfi_def_cfa_offset 16
	call	number_39
	site	between_calls
	add	$8, %rsp
	.cfi_def_cfa_offset 8
	ret
	done	between_calls

	function cramped		/* no window at all */
	call	number_39
	site	cramped
	ret
	done	cramped

	function number_39
	mov	$39, %eax
	ret
	done	number_39

	function neighbours		/* two windows that touch; returns the sum */
	mov	$39, %eax
	site	neighbours
	mov	%eax, %r8d
	mov	$102, %eax
	site	neighbours_second
	add	%r8d, %eax
	ret
	done	neighbours

	function close_together		/* the second syscall has no window of its own left */
	mov	$39, %eax
	site	close_together
	site	close_together_second
	ret
	done	close_together

	function xor_number		/* number 0 */
	mov	$-1, %edi
	xor	%eax, %eax
	mov	$0, %edx
	site	xor_number
	ret
	done	xor_number

	function after_endbr		/* endbr64 stays */
	endbr64
	site	after_endbr
	mov	%rax, %rdx
	mov	%rdx, %rax
	ret
	done	after_endbr

	function cancel_arch		/* as __syscall_cancel_arch of glibc 2.41: (word *, number, a, b, c, d, e, f) */
	mov	(%rdi), %eax
	testb	$0x39, (%rdi)
	jne	number_39
	mov	%rdi, %r11
	mov	%rsi, %rax
	mov	%rdx, %rdi
	mov	%rcx, %rsi
	mov	%r8, %rdx
	mov	%r9, %r10
	mov	8(%rsp), %r8
	mov	16(%rsp), %r9
	mov	%r11, 8(%rsp)
	site	cancel_arch
	ret
	done	cancel_arch

	function like_vfork		/* the stack is used on both sides */
	pop	%rdi
	.cfi_def_cfa_offset 0
	mov	$39, %eax
	site	like_vfork
	push	%rdi
	.cfi_def_cfa_offset 8
	ret
	done	like_vfork

	function exit_loop_edx
	mov	$60, %edx
1:	xor	%edi, %edi
	mov	%edx, %eax
	site	exit_loop_edx
	short	JMP, 1b
	done	exit_loop_edx

	function exit_loop_r8d
	mov	$60, %r8d
1:	xor	%edi, %edi
	mov	%r8d, %eax
	site	exit_loop_r8d
	short	JMP, 1b
	done	exit_loop_r8d

	function exit_loop_constant
1:	xor	%edi, %edi
	mov	$60, %eax
	site	exit_loop_constant
	short	JMP, 1b
	done	exit_loop_constant

	function exit_loop_8b		/* the other encodings of xor and mov */
	mov	$60, %edx
1:	.byte	0x33, 0xff, 0x8b, 0xc2
	site	exit_loop_8b
	short	JMP, 1b
	done	exit_loop_8b

	function no_site		/* 0f 05 in an immediate */
	.globl	no_site_site
	.type	no_site_site, @object
	.size	no_site_site, 2
	.byte	0xb8
no_site_site:
	.long	0x050f
	ret
	done	no_site

	/*
	 * Fills every register, the flags and the red zone, calls, and returns a bit for each that changed. rcx,
	 * r11 and rax may change.
	 */
	function registers
	push	%rbx
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset rbx, 0
	push	%rbp
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset rbp, 0
	push	%r12
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset r12, 0
	push	%r13
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset r13, 0
	push	%r14
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset r14, 0
	push	%r15
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset r15, 0
	mov	$101, %rbx
	mov	$102, %rbp
	mov	$103, %rdx
	mov	$104, %rsi
	mov	$105, %rdi
	mov	$108, %r8
	mov	$109, %r9
	mov	$110, %r10
	mov	$112, %r12
	mov	$113, %r13
	mov	$114, %r14
	mov	$115, %r15
	movq	%rdx, %xmm0
	movq	%rsi, %xmm15
	mov	%rsp, -128(%rsp)
	mov	%rsp, -64(%rsp)
	mov	%rsp, -8(%rsp)
	cmp	%rsp, %rsp		/* zero set, carry clear */
	stc
	mov	$39, %eax
	site	registers
	jnc	1f
	jnz	1f
	mov	$0, %eax
	short	JMP, 2f
1:	mov	$1, %eax
2:
	.macro	check value, expected, bit
	cmp	\expected, \value
	je	9f
	or	$1 << \bit, %eax
9:
	.endm
	check	%rbx, $101, 1
	check	%rbp, $102, 2
	check	%rdx, $103, 3
	check	%rsi, $104, 4
	check	%rdi, $105, 5
	check	%r8, $108, 8
	check	%r9, $109, 9
	check	%r10, $110, 10
	check	%r12, $112, 12
	check	%r13, $113, 13
	check	%r14, $114, 14
	check	%r15, $115, 15
	check	%rsp, -128(%rsp), 16
	check	%rsp, -64(%rsp), 17
	check	%rsp, -8(%rsp), 18
	movq	%xmm0, %rcx
	check	%rcx, $103, 19
	movq	%xmm15, %rcx
	check	%rcx, $104, 20
	pop	%r15
	.cfi_adjust_cfa_offset -8
	pop	%r14
	.cfi_adjust_cfa_offset -8
	pop	%r13
	.cfi_adjust_cfa_offset -8
	pop	%r12
	.cfi_adjust_cfa_offset -8
	pop	%rbp
	.cfi_adjust_cfa_offset -8
	pop	%rbx
	.cfi_adjust_cfa_offset -8
	ret
	done	registers

	.balign	4096
synthetic_end:

	.section .rodata
	.balign	4
table:	.rept	39
	.long	table_39 - table
	.endr
	.long	table_39 - table
	.rept	62
	.long	table_39 - table
	.endr
	.long	table_102 - table
word:	.long	1234

	.section .note.GNU-stack, "", @progbits
