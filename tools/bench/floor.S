/* SPDX-License-Identifier: MIT */
/*
 * floor: switches between two stacks that do one thing more each, and single instructions. What they are for stands
 * in floor.c.
 *
 * void floor_NAME(uint64_t count %rdi)
 *     of a ladder: `count` times from this stack to the other one and back; the other one begins anew each call.
 *     of an instruction: `count` times.
 *
 * floor_top is the end of the other stack, less 64 bytes, floor_bases the FS bases of this side and of the other.
 */

/* As core/switch.S: at 0(%rsp), and the status word in r8w. */
        .macro STORE_FP
        stmxcsr (%rsp)
        fnstcw  4(%rsp)
        fnstsw  %ax
        movw    %ax, 6(%rsp)
        movl    %eax, %r8d
        .endm

/* One switch; `to` is 8 when it leads to the other stack, 0 back. The other parameters are 1 when it is done. */
        .macro SWITCH to, fs, fp, vectors, atomic, entry
        .if \entry                              /* as preload/entry.S: a look at a thread-local word, 13 registers */
        pushq   %rcx
        movq    %fs:0, %rcx
        cmpq    $-1, %rcx
        je      8f
        .irp register, r15, r14, r13, r12, rbp, rbx, r9, r8, r10, rdx, rsi, rdi, rax
        pushq   %\register
        .endr
        .endif
        .if \atomic                             /* as weft_core_enter */
        xorl    %eax, %eax
        movl    $1, %r8d
        lock cmpxchgq %r8, owner(%rip)
        jne     8f
        .endif
        .irp register, rbp, rbx, r12, r13, r14, r15
        pushq   %\register
        .endr
        subq    $280, %rsp
        .if \vectors
        .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
        movaps  %xmm\n, 16+16*\n(%rsp)
        .endr
        .endif
        .if \fp
        STORE_FP
        .endif
        leaq    7f(%rip), %rax
        pushq   %rax
        movq    %rsp, stacks+8-\to(%rip)
        movq    stacks+\to(%rip), %rsp
        .if \fp
        ldmxcsr 8(%rsp)
        fldcw   12(%rsp)
        .endif
        .if \fs
        movq    floor_bases+\to(%rip), %r10
        wrfsbase %r10
        .endif
        .if \fp
        xorw    14(%rsp), %r8w
        testb   $0x3f, %r8b
        jnz     8f
        .endif
        popq    %rax
        jmp     *%rax
8:      ud2
7:
        .if \vectors
        .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
        movaps  16+16*\n(%rsp), %xmm\n
        .endr
        .endif
        addq    $280, %rsp
        .irp register, r15, r14, r13, r12, rbx, rbp
        popq    %\register
        .endr
        .if \atomic                             /* as weft_core_leave */
        movq    $0, owner(%rip)
        .endif
        .if \entry
        .irp register, rax, rdi, rsi, rdx, r10, r8, r9, rbx, rbp, r12, r13, r14, r15
        popq    %\register
        .endr
        popq    %rcx
        .endif
        .endm

        .macro FUNCTION name
        .globl  floor_\name
        .type   floor_\name, @function
        .p2align 6
floor_\name:
        .endm

        .macro LADDER name, fs, fp, vectors, atomic, entry
        FUNCTION \name
        .irp register, rbp, rbx, r12, r13, r14, r15
        pushq   %\register
        .endr
        movq    %rdi, %r12
        movq    floor_top(%rip), %rax           /* the other stack, as if it had been switched away from */
        subq    $512, %rax
        leaq    6f(%rip), %rcx
        movq    %rcx, (%rax)
        stmxcsr 8(%rax)
        fnstcw  12(%rax)
        fnstsw  14(%rax)
        movq    %rax, stacks+8(%rip)
        .p2align 6
1:      SWITCH  8, \fs, \fp, \vectors, \atomic, \entry
        decq    %r12
        jnz     1b
        .irp register, r15, r14, r13, r12, rbx, rbp
        popq    %\register
        .endr
        ret
6:      movq    $0, owner(%rip)
        .p2align 6
2:      SWITCH  0, \fs, \fp, \vectors, \atomic, \entry
        jmp     2b
        .size   floor_\name, . - floor_\name
        .endm

        .macro INSTRUCTION name, code:vararg
        FUNCTION \name
        subq    $24, %rsp
        stmxcsr 4(%rsp)
        fnstcw  (%rsp)
        rdfsbase %r10
        .p2align 6
1:      \code
        decq    %rdi
        jnz     1b
        addq    $24, %rsp
        ret
        .size   floor_\name, . - floor_\name
        .endm

        .text
        /*                               fs fp ve at en */
        LADDER  bare,                    0, 0, 0, 0, 0
        LADDER  fs,                      1, 0, 0, 0, 0
        LADDER  fs_fp,                   1, 1, 0, 0, 0
        LADDER  fs_fp_vectors,           1, 1, 1, 0, 0
        LADDER  fs_fp_vectors_atomic,    1, 1, 1, 1, 0
        LADDER  all,                     1, 1, 1, 1, 1
        LADDER  all_but_fs,              0, 1, 1, 1, 1
        LADDER  all_but_fp,              1, 0, 1, 1, 1
        LADDER  all_but_vectors,         1, 1, 0, 1, 1
        LADDER  all_but_atomic,          1, 1, 1, 0, 1

        INSTRUCTION wrfsbase, wrfsbase %r10
        INSTRUCTION stmxcsr, stmxcsr 8(%rsp)
        INSTRUCTION ldmxcsr, ldmxcsr 4(%rsp)
        INSTRUCTION fnstsw, fnstsw %ax
        INSTRUCTION fnstcw, fnstcw 12(%rsp)
        INSTRUCTION fldcw, fldcw (%rsp)
        INSTRUCTION cmpxchg, lock cmpxchgq %r10, 16(%rsp)
        INSTRUCTION xchg, xchgl %eax, 16(%rsp)
        INSTRUCTION rdtsc, rdtsc

        .bss
        .balign 64
        .globl  floor_top, floor_bases
stacks: .zero   16
owner:  .zero   8
floor_top: .zero 8
floor_bases: .zero 16
        .section .note.GNU-stack, "", @progbits
