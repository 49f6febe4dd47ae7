/* SPDX-License-Identifier: MIT */
/*
 * long weft_clone_shared(struct weft_call *call %rdi, const struct weft_schedule *schedule %rsi) executes a clone
 * whose child shares our memory and has a stack of its own (posix_spawn). The parent returns from here as from any
 * function. The child takes the schedule, unless that is NULL, and goes on at the site, with the registers of the
 * call, as the kernel would have it.
 */
#include "../core/layout.h"
#include "../preload/trampoline.h"

        .text
        .globl  weft_clone_shared
        .hidden weft_clone_shared
        .type   weft_clone_shared, @function
weft_clone_shared:
        .cfi_startproc
        pushq   %rbx
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset rbx, 0
        pushq   %r12
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset r12, 0
        movq    %rdi, %rbx                      /* these survive the call in both */
        movq    %rsi, %r12
        movq    WEFT_CALL_NUMBER(%rbx), %rax
        movq    WEFT_CALL_ARGUMENTS + 8(%rbx), %rsi
        movq    WEFT_CALL_ARGUMENTS + 16(%rbx), %rdx
        movq    WEFT_CALL_ARGUMENTS + 24(%rbx), %r10
        movq    WEFT_CALL_ARGUMENTS + 32(%rbx), %r8
        movq    WEFT_CALL_ARGUMENTS + 40(%rbx), %r9
        movq    WEFT_CALL_ARGUMENTS(%rbx), %rdi
        syscall
        testq   %rax, %rax
        jz      1f
        popq    %r12
        .cfi_adjust_cfa_offset -8
        .cfi_restore r12
        popq    %rbx
        .cfi_adjust_cfa_offset -8
        .cfi_restore rbx
        ret
        .cfi_endproc
        .cfi_startproc
        .cfi_undefined rip
1:      testq   %r12, %r12
        jz      2f
        movq    %rsp, %rbp
        andq    $-16, %rsp
        movq    %r12, %rdi
        xorl    %esi, %esi                      /* the calling kernel thread */
        call    weft_schedule_apply
        movq    %rbp, %rsp
        movq    WEFT_CALL_ARGUMENTS(%rbx), %rdi
        movq    WEFT_CALL_ARGUMENTS + 8(%rbx), %rsi
        movq    WEFT_CALL_ARGUMENTS + 16(%rbx), %rdx
        movq    WEFT_CALL_ARGUMENTS + 24(%rbx), %r10
        movq    WEFT_CALL_ARGUMENTS + 32(%rbx), %r8
        movq    WEFT_CALL_ARGUMENTS + 40(%rbx), %r9
        xorl    %eax, %eax
2:      movq    WEFT_CALL_SLOT_RETURN(%rbx), %rcx
        addq    $(WEFT_SLOT_AFTER - WEFT_SLOT_RETURN), %rcx
        movq    WEFT_CALL_PRESERVED + 8(%rbx), %rbp
        movq    WEFT_CALL_PRESERVED + 16(%rbx), %r12
        movq    WEFT_CALL_PRESERVED + 24(%rbx), %r13
        movq    WEFT_CALL_PRESERVED + 32(%rbx), %r14
        movq    WEFT_CALL_PRESERVED + 40(%rbx), %r15
        movq    WEFT_CALL_PRESERVED(%rbx), %rbx
        jmp     *%rcx
        .cfi_endproc
        .size   weft_clone_shared, . - weft_clone_shared

        .section .note.GNU-stack, "", @progbits
