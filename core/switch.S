/* SPDX-License-Identifier: MIT */
/*
 * The switch: one stack, one FS base and one floating-point environment for another.
 * The picture of a suspended stack stands in context.h.
 *
 * MXCSR and the x87 words are kept as one 8-byte image above the resume address. To load the control words, where
 * they are the same, costs nothing beside the FS base, and to compare them does; so only the exception flags of the
 * x87, for which the slow fldenv is needed, are compared. What costs is to store them: stmxcsr and fnstsw.
 */
#include "layout.h"

#define ARCH_SET_FS    0x1002
#define SYS_arch_prctl 158

/* Pushes rbp, rbx, r12-r15: the registers that a C function preserves. */
.macro PUSH_PRESERVED
        pushq   %rbp
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset rbp, 0
        pushq   %rbx
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset rbx, 0
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
.endm

.macro POP_PRESERVED
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
        popq    %rbx
        .cfi_adjust_cfa_offset -8
        .cfi_restore rbx
        popq    %rbp
        .cfi_adjust_cfa_offset -8
        .cfi_restore rbp
.endm

/* Stores the 8-byte floating-point image at 0(%rsp), and leaves the x87 status word in r8w. Of that only the
 * exception flags are an environment; its stack top and condition codes are scratch. Clobbers rax. */
.macro STORE_FP_IMAGE
        stmxcsr (%rsp)
        fnstcw  4(%rsp)
        fnstsw  %ax
        movw    %ax, 6(%rsp)
        movl    %eax, %r8d
.endm

        .text

/* void weft_switch(from %rdi, to %rsi, after %rdx, argument %rcx) */
        .globl  weft_switch
        .hidden weft_switch
        .type   weft_switch, @function
        .p2align 4
weft_switch:
        .cfi_startproc
        PUSH_PRESERVED
        subq    $8, %rsp
        .cfi_adjust_cfa_offset 8
        STORE_FP_IMAGE
        leaq    .Lresume(%rip), %rax
        pushq   %rax
        .cfi_adjust_cfa_offset 8
        jmp     .Lload
.Lresume:                                       /* the resume address itself was popped */
        .cfi_adjust_cfa_offset -8
        addq    $8, %rsp                        /* the image, already loaded */
        .cfi_adjust_cfa_offset -8
        POP_PRESERVED
        ret
        .cfi_endproc
        .size   weft_switch, . - weft_switch

/* void weft_switch_call(from %rdi, to %rsi, after %rdx, argument %rcx) */
        .globl  weft_switch_call
        .hidden weft_switch_call
        .type   weft_switch_call, @function
        .p2align 4
weft_switch_call:
        .cfi_startproc
        PUSH_PRESERVED
        subq    $280, %rsp                      /* the image, 8 to align, 16 registers, 8 to align */
        .cfi_adjust_cfa_offset 280
        movaps  %xmm0, 16+0x00(%rsp)
        movaps  %xmm1, 16+0x10(%rsp)
        movaps  %xmm2, 16+0x20(%rsp)
        movaps  %xmm3, 16+0x30(%rsp)
        movaps  %xmm4, 16+0x40(%rsp)
        movaps  %xmm5, 16+0x50(%rsp)
        movaps  %xmm6, 16+0x60(%rsp)
        movaps  %xmm7, 16+0x70(%rsp)
        movaps  %xmm8, 16+0x80(%rsp)
        movaps  %xmm9, 16+0x90(%rsp)
        movaps  %xmm10, 16+0xa0(%rsp)
        movaps  %xmm11, 16+0xb0(%rsp)
        movaps  %xmm12, 16+0xc0(%rsp)
        movaps  %xmm13, 16+0xd0(%rsp)
        movaps  %xmm14, 16+0xe0(%rsp)
        movaps  %xmm15, 16+0xf0(%rsp)
        STORE_FP_IMAGE
        leaq    .Lresume_call(%rip), %rax
        pushq   %rax
        .cfi_adjust_cfa_offset 8
        jmp     .Lload
.Lresume_call:
        .cfi_adjust_cfa_offset -8
        movaps  16+0x00(%rsp), %xmm0
        movaps  16+0x10(%rsp), %xmm1
        movaps  16+0x20(%rsp), %xmm2
        movaps  16+0x30(%rsp), %xmm3
        movaps  16+0x40(%rsp), %xmm4
        movaps  16+0x50(%rsp), %xmm5
        movaps  16+0x60(%rsp), %xmm6
        movaps  16+0x70(%rsp), %xmm7
        movaps  16+0x80(%rsp), %xmm8
        movaps  16+0x90(%rsp), %xmm9
        movaps  16+0xa0(%rsp), %xmm10
        movaps  16+0xb0(%rsp), %xmm11
        movaps  16+0xc0(%rsp), %xmm12
        movaps  16+0xd0(%rsp), %xmm13
        movaps  16+0xe0(%rsp), %xmm14
        movaps  16+0xf0(%rsp), %xmm15
        addq    $280, %rsp
        .cfi_adjust_cfa_offset -280
        POP_PRESERVED
        ret
        .cfi_endproc
        .size   weft_switch_call, . - weft_switch_call

/*
 * The common half: `from` is complete on its stack, r8w is its x87 status word. While it runs the unwinder
 * finds no caller: between two stacks there is none. It ends with a jump, not a `ret`, which would take from the
 * CPU's return predictor what the next five returns need: they lead through the same functions in any context.
 */
        .type   weft_switch_load, @function
        .p2align 4
weft_switch_load:
        .cfi_startproc
        .cfi_undefined rip
.Lload:
        movq    %rsp, WEFT_CONTEXT_RSP(%rdi)
        movq    WEFT_CONTEXT_FS_BASE(%rsi), %r10
        movq    WEFT_CONTEXT_RSP(%rsi), %rsp    /* from here on `to`'s stack */
        testb   %r8b, %r8b
        js      .Lclear_x87
.Lload_control:
        ldmxcsr 8(%rsp)                         /* before wrfsbase: 1 ns less than behind it */
        fldcw   12(%rsp)
        cmpq    %r10, WEFT_CONTEXT_FS_BASE(%rdi)
        je      1f
        cmpb    $0, weft_has_fsgsbase(%rip)
        je      .Lset_fs_by_kernel
        wrfsbase %r10
1:      xorw    14(%rsp), %r8w
        testb   $0x3f, %r8b                     /* the x87 exception flags: rarely different */
        jnz     .Lload_fp_flags
2:      testq   %rdx, %rdx
        jz      3f
        movq    %rcx, %rdi
        movq    %rsp, %rbx                      /* `to`'s rbx is not loaded yet */
        andq    $-16, %rsp
        call    *%rdx
        movq    %rbx, %rsp
3:      popq    %rax                            /* the resume address */
        jmp     *%rax

/* An x87 exception waits to be raised by the next floating-point instruction that is not an fn*: that must be
 * one of its own thread. Its flags are stored, and will be pending when they are loaded again. */
.Lclear_x87:
        fnclex
        xorl    %r8d, %r8d
        jmp     .Lload_control

.Lload_fp_flags:                                /* fnstenv masks all: fldenv raises nothing */
        movzwl  14(%rsp), %eax
        andl    $0x3f, %eax
        subq    $32, %rsp
        fnstenv (%rsp)
        andw    $~0x3f, 4(%rsp)
        orw     %ax, 4(%rsp)
        fldenv  (%rsp)
        addq    $32, %rsp
        jmp     2b

.Lset_fs_by_kernel:
        movq    %rcx, %r9                       /* the kernel clobbers rcx and r11, we need rdx, rsi, rdi */
        movq    %rsi, %rbx                      /* `to`'s preserved registers are not loaded yet */
        movq    %rdi, %rbp
        movl    $ARCH_SET_FS, %edi
        movq    %r10, %rsi
        movl    $SYS_arch_prctl, %eax
        syscall
        movq    %rbp, %rdi
        movq    %rbx, %rsi
        movq    %r9, %rcx
        jmp     1b
        .cfi_endproc
        .size   weft_switch_load, . - weft_switch_load

/*
 * First code of a prepared context: its stack holds, above the floating-point image, the argument
 * and the function. The function never returns.
 */
        .globl  weft_context_start
        .hidden weft_context_start
        .type   weft_context_start, @function
        .p2align 4
weft_context_start:
        .cfi_startproc
        .cfi_undefined rip
        addq    $8, %rsp                        /* the image */
        popq    %rdi
        popq    %rax
        andq    $-16, %rsp
        call    *%rax
        ud2
        .cfi_endproc
        .size   weft_context_start, . - weft_context_start

/*
 * void weft_vectors_preserved(function %rdi, argument %rsi) calls function(argument), which may use vector
 * registers, and keeps those of the program.
 */
        .globl  weft_vectors_preserved
        .hidden weft_vectors_preserved
        .type   weft_vectors_preserved, @function
        .p2align 4
weft_vectors_preserved:
        .cfi_startproc
        pushq   %rbp
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset rbp, 0
        movq    %rsp, %rbp
        .cfi_def_cfa_register rbp
        subq    $256, %rsp
        andq    $-16, %rsp
        movaps  %xmm0, 0x00(%rsp)
        movaps  %xmm1, 0x10(%rsp)
        movaps  %xmm2, 0x20(%rsp)
        movaps  %xmm3, 0x30(%rsp)
        movaps  %xmm4, 0x40(%rsp)
        movaps  %xmm5, 0x50(%rsp)
        movaps  %xmm6, 0x60(%rsp)
        movaps  %xmm7, 0x70(%rsp)
        movaps  %xmm8, 0x80(%rsp)
        movaps  %xmm9, 0x90(%rsp)
        movaps  %xmm10, 0xa0(%rsp)
        movaps  %xmm11, 0xb0(%rsp)
        movaps  %xmm12, 0xc0(%rsp)
        movaps  %xmm13, 0xd0(%rsp)
        movaps  %xmm14, 0xe0(%rsp)
        movaps  %xmm15, 0xf0(%rsp)
        movq    %rdi, %rax
        movq    %rsi, %rdi
        call    *%rax
        movaps  0x00(%rsp), %xmm0
        movaps  0x10(%rsp), %xmm1
        movaps  0x20(%rsp), %xmm2
        movaps  0x30(%rsp), %xmm3
        movaps  0x40(%rsp), %xmm4
        movaps  0x50(%rsp), %xmm5
        movaps  0x60(%rsp), %xmm6
        movaps  0x70(%rsp), %xmm7
        movaps  0x80(%rsp), %xmm8
        movaps  0x90(%rsp), %xmm9
        movaps  0xa0(%rsp), %xmm10
        movaps  0xb0(%rsp), %xmm11
        movaps  0xc0(%rsp), %xmm12
        movaps  0xd0(%rsp), %xmm13
        movaps  0xe0(%rsp), %xmm14
        movaps  0xf0(%rsp), %xmm15
        leave
        .cfi_def_cfa rsp, 8
        .cfi_restore rbp
        ret
        .cfi_endproc
        .size   weft_vectors_preserved, . - weft_vectors_preserved

/* uintptr_t weft_fs_base(void): the thread pointer stands at %fs:0 by the x86-64 TLS ABI. */
        .globl  weft_fs_base
        .hidden weft_fs_base
        .type   weft_fs_base, @function
weft_fs_base:
        .cfi_startproc
        movq    %fs:0, %rax
        ret
        .cfi_endproc
        .size   weft_fs_base, . - weft_fs_base

        .section .note.GNU-stack, "", @progbits
