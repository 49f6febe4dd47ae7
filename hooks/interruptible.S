/* SPDX-License-Identifier: MIT */
/*
 * long weft_call_interruptible(const struct weft_call *call %rdi, struct coroutine *self %rsi) executes the call in
 * the kernel unless a signal is due, and returns -EINTR when one becomes due before the kernel has answered.
 *
 * A kick that comes between the look at signal_due and the syscall instruction, or while the kernel waits (it
 * then goes back to the instruction), finds us between `begin` and `end` and sends us to `interrupted`.
 */
#include "../core/layout.h"

#define EINTR 4

        .text
        .globl  weft_call_interruptible
        .hidden weft_call_interruptible
        .type   weft_call_interruptible, @function
        .p2align 4
weft_call_interruptible:
        .cfi_startproc
        pushq   %rbx
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset rbx, 0
        movq    %rsi, %rbx
        movq    WEFT_CALL_NUMBER(%rdi), %rax
        movq    WEFT_CALL_ARGUMENTS + 8(%rdi), %rsi
        movq    WEFT_CALL_ARGUMENTS + 16(%rdi), %rdx
        movq    WEFT_CALL_ARGUMENTS + 24(%rdi), %r10
        movq    WEFT_CALL_ARGUMENTS + 32(%rdi), %r8
        movq    WEFT_CALL_ARGUMENTS + 40(%rdi), %r9
        movq    WEFT_CALL_ARGUMENTS(%rdi), %rdi
        .globl  weft_interruptible_begin
        .hidden weft_interruptible_begin
weft_interruptible_begin:
        cmpb    $0, WEFT_COROUTINE_SIGNAL_DUE(%rbx)
        jne     weft_interruptible_interrupted
        syscall
        .globl  weft_interruptible_end
        .hidden weft_interruptible_end
weft_interruptible_end:
        popq    %rbx
        .cfi_remember_state
        .cfi_adjust_cfa_offset -8
        .cfi_restore rbx
        ret
        .globl  weft_interruptible_interrupted
        .hidden weft_interruptible_interrupted
weft_interruptible_interrupted:
        .cfi_restore_state
        movl    $-EINTR, %eax
        cltq
        jmp     weft_interruptible_end
        .cfi_endproc
        .size   weft_call_interruptible, . - weft_call_interruptible

        .section .note.GNU-stack, "", @progbits
