/* SPDX-License-Identifier: MIT */
/* See registers.h. */
        .text

/* void registers_across(target %rdi, arguments %rsi, in %rdx, out %rcx) */
        .globl  registers_across
        .type   registers_across, @function
registers_across:
        .cfi_startproc
        pushq   %rbx
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset rbx, 0
        pushq   %rbp
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset rbp, 0
        pushq   %r12
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset r12, 0
        pushq   %r13
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset r13, 0
        pushq   %r14
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset r14, 0
        pushq   %r15
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset r15, 0
        pushq   %rcx                            /* out; the stack is aligned again */
        .cfi_adjust_cfa_offset 8
        movups  48+0x00(%rdx), %xmm0
        movups  48+0x10(%rdx), %xmm1
        movups  48+0x20(%rdx), %xmm2
        movups  48+0x30(%rdx), %xmm3
        movups  48+0x40(%rdx), %xmm4
        movups  48+0x50(%rdx), %xmm5
        movups  48+0x60(%rdx), %xmm6
        movups  48+0x70(%rdx), %xmm7
        movups  48+0x80(%rdx), %xmm8
        movups  48+0x90(%rdx), %xmm9
        movups  48+0xa0(%rdx), %xmm10
        movups  48+0xb0(%rdx), %xmm11
        movups  48+0xc0(%rdx), %xmm12
        movups  48+0xd0(%rdx), %xmm13
        movups  48+0xe0(%rdx), %xmm14
        movups  48+0xf0(%rdx), %xmm15
        movq    0(%rdx), %rbx
        movq    8(%rdx), %rbp
        movq    16(%rdx), %r12
        movq    24(%rdx), %r13
        movq    32(%rdx), %r14
        movq    40(%rdx), %r15
        movq    %rdi, %rax
        movq    0(%rsi), %rdi
        movq    16(%rsi), %rdx
        movq    24(%rsi), %rcx
        movq    8(%rsi), %rsi
        call    *%rax
        popq    %rcx
        .cfi_adjust_cfa_offset -8
        movq    %rbx, 0(%rcx)
        movq    %rbp, 8(%rcx)
        movq    %r12, 16(%rcx)
        movq    %r13, 24(%rcx)
        movq    %r14, 32(%rcx)
        movq    %r15, 40(%rcx)
        movups  %xmm0, 48+0x00(%rcx)
        movups  %xmm1, 48+0x10(%rcx)
        movups  %xmm2, 48+0x20(%rcx)
        movups  %xmm3, 48+0x30(%rcx)
        movups  %xmm4, 48+0x40(%rcx)
        movups  %xmm5, 48+0x50(%rcx)
        movups  %xmm6, 48+0x60(%rcx)
        movups  %xmm7, 48+0x70(%rcx)
        movups  %xmm8, 48+0x80(%rcx)
        movups  %xmm9, 48+0x90(%rcx)
        movups  %xmm10, 48+0xa0(%rcx)
        movups  %xmm11, 48+0xb0(%rcx)
        movups  %xmm12, 48+0xc0(%rcx)
        movups  %xmm13, 48+0xd0(%rcx)
        movups  %xmm14, 48+0xe0(%rcx)
        movups  %xmm15, 48+0xf0(%rcx)
        popq    %r15
        .cfi_adjust_cfa_offset -8
        .cfi_restore r15
        popq    %r14
        .cfi_adjust_cfa_offset -8
        .cfi_restore r14
        popq    %r13
        .cfi_adjust_cfa_offset -8
        .cfi_restore r13
        popq    %r12
        .cfi_adjust_cfa_offset -8
        .cfi_restore r12
        popq    %rbp
        .cfi_adjust_cfa_offset -8
        .cfi_restore rbp
        popq    %rbx
        .cfi_adjust_cfa_offset -8
        .cfi_restore rbx
        ret
        .cfi_endproc
        .size   registers_across, . - registers_across

/* void floating_store(struct floating * %rdi) */
        .globl  floating_store
        .type   floating_store, @function
floating_store:
        .cfi_startproc
        stmxcsr (%rdi)
        fnstcw  4(%rdi)
        fnstsw  %ax
        andl    $0x3f, %eax
        movw    %ax, 6(%rdi)
        ret
        .cfi_endproc
        .size   floating_store, . - floating_store

/* void floating_load(const struct floating * %rdi) */
        .globl  floating_load
        .type   floating_load, @function
floating_load:
        .cfi_startproc
        ldmxcsr (%rdi)
        subq    $40, %rsp
        .cfi_adjust_cfa_offset 40
        fnclex
        fnstenv (%rsp)
        movw    4(%rdi), %ax
        movw    %ax, 0(%rsp)
        movw    6(%rdi), %ax
        orw     %ax, 4(%rsp)
        fldenv  (%rsp)
        addq    $40, %rsp
        .cfi_adjust_cfa_offset -40
        ret
        .cfi_endproc
        .size   floating_load, . - floating_load

        .section .note.GNU-stack, "", @progbits
