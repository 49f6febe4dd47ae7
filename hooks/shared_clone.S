/* SPDX-License-Identifier: MIT */
/*
 * Clones whose children share our memory: see shared_child.c.
 *
 * long weft_clone_shared(struct weft_call *call %rdi, const struct weft_schedule *schedule %rsi) executes a clone
 * whose child shares our memory and has a stack of its own (posix_spawn). The parent returns from here as from any
 * function. The child takes the schedule, unless that is NULL, and goes on at the site, with the registers of the
 * call, as the kernel would have it.
 */
#include <asm/errno.h>

#include "../core/layout.h"
#include "../preload/trampoline.h"
#include "shared_child.h"

.macro ARGUMENTS                                /* of the call at rbx */
        movq    WEFT_CALL_ARGUMENTS(%rbx), %rdi
        movq    WEFT_CALL_ARGUMENTS + 8(%rbx), %rsi
        movq    WEFT_CALL_ARGUMENTS + 16(%rbx), %rdx
        movq    WEFT_CALL_ARGUMENTS + 24(%rbx), %r10
        movq    WEFT_CALL_ARGUMENTS + 32(%rbx), %r8
        movq    WEFT_CALL_ARGUMENTS + 40(%rbx), %r9
.endm

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
        ARGUMENTS
        movq    WEFT_CALL_NUMBER(%rbx), %rax
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
        ARGUMENTS
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

/*
 * long weft_clone_same_stack(struct weft_call *call %rdi, struct vforked *vforked %rsi, char *saved %rdx) executes
 * the call, whose child runs on the stack that we are on. The parent returns from here with that stack as it was:
 * from us up to the end of the call it is kept in `saved`, and the kernel keeps the parent's registers. The child
 * goes on in weft_vforked(call, vforked).
 */
        .globl  weft_clone_same_stack
        .hidden weft_clone_same_stack
        .type   weft_clone_same_stack, @function
weft_clone_same_stack:
        .cfi_startproc
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
        movq    %rdi, %rbx
        movq    %rsi, %r12
        movq    %rdx, %r13
        leaq    WEFT_CALL_SIZE(%rdi), %r14
        subq    %rsp, %r14                      /* bytes to be kept */
        movq    $-ENOMEM, %rax
        cmpq    $WEFT_KEPT_STACK, %r14
        ja      3f
        movq    %rsp, %rsi
        movq    %r13, %rdi
        movq    %r14, %rcx
        rep movsb
        ARGUMENTS
        movq    WEFT_CALL_NUMBER(%rbx), %rax
        syscall
        testq   %rax, %rax
        jz      4f
        movq    %r13, %rsi
        movq    %rsp, %rdi
        movq    %r14, %rcx
        rep movsb
3:      popq    %r14
        .cfi_remember_state
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
        ret
4:      .cfi_restore_state
        andq    $-16, %rsp
        movq    %rbx, %rdi
        movq    %r12, %rsi
        .cfi_undefined rip
        call    weft_vforked
        .cfi_endproc
        .size   weft_clone_same_stack, . - weft_clone_same_stack

        .section .note.GNU-stack, "", @progbits
