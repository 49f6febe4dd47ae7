/* SPDX-License-Identifier: MIT */
/*
 * long weft_carrier_clone(flags %rdi, stack %rsi, int *tid %rdx, fs_base %rcx, entry %r8, argument %r9)
 * starts a kernel thread that calls entry(argument) on `stack`. Returns its id or -errno. The kernel stores the
 * id to *tid, and 0 when the thread is gone.
 * (glibc's clone would do, but it is one of the calls that weft redirects.)
 */
#define SYS_clone 56

        .text
        .globl  weft_carrier_clone
        .hidden weft_carrier_clone
        .type   weft_carrier_clone, @function
weft_carrier_clone:
        .cfi_startproc
        pushq   %rbx
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset rbx, 0
        pushq   %rbp
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset rbp, 0
        movq    %r8, %rbx                       /* entry and argument outlive the call in registers */
        movq    %r9, %rbp
        movq    %rcx, %r8                       /* clone(flags, stack, parent_tid, child_tid, tls) */
        movq    %rdx, %r10
        andq    $-16, %rsi
        movl    $SYS_clone, %eax
        syscall
        testq   %rax, %rax
        jz      1f
        popq    %rbp
        .cfi_adjust_cfa_offset -8
        .cfi_restore rbp
        popq    %rbx
        .cfi_adjust_cfa_offset -8
        .cfi_restore rbx
        ret
        .cfi_endproc
        .cfi_startproc
        .cfi_undefined rip
1:      movq    %rbp, %rdi                      /* the new thread */
        xorl    %ebp, %ebp
        call    *%rbx
        ud2
        .cfi_endproc
        .size   weft_carrier_clone, . - weft_carrier_clone

        .section .note.GNU-stack, "", @progbits
