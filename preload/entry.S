/* SPDX-License-Identifier: MIT */
/*
 * The entry: where every redirected site arrives.
 *
 * The trampoline has stepped over the red zone, pushed the address behind the site's syscall instruction,
 * and called us with the registers of a system call. The kernel's contract is ours: all registers but
 * rax, rcx and r11 survive. (Vector registers survive because hooks use none and the switch saves them.)
 *
 *      ┌────────────────────────┐
 *      │ red zone, 128 bytes    │
 *      │ site_next              │
 *      │ return into the slot   │ ◄── rsp on entry
 *      │ ... struct weft_call   │
 *      └────────────────────────┘ ◄── rbp, rdi when the hook is called
 */
#include "../core/layout.h"
#include "trampoline.h"

/* From the address that the slot's call pushes to the slot's own syscall instruction. */
#define SLOT_RETURN_TO_RAW (WEFT_SLOT_RAW - WEFT_SLOT_RETURN)

.macro PUSH register
        pushq   %\register
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset \register, 0
.endm

.macro POP register
        popq    %\register
        .cfi_adjust_cfa_offset -8
        .cfi_restore \register
.endm

/* A place that signal handlers look for. */
.macro LABEL name
        .globl  weft_entry_\name
        .hidden weft_entry_\name
weft_entry_\name:
.endm

        .text
        .globl  weft_entry
        .hidden weft_entry
        .type   weft_entry, @function
        .p2align 4
weft_entry:
        .cfi_startproc
        movq    weft_current@GOTTPOFF(%rip), %rcx
        movq    %fs:(%rcx), %rcx
        testq   %rcx, %rcx                      /* no coroutine: a carrier or the monitor */
        jz      .Lkernel
        cmpq    $WEFT_CALL_LIMIT, %rax
        jae     .Lkernel
        leaq    weft_hooks(%rip), %r11
        movq    (%r11,%rax,8), %r11
        testq   %r11, %r11
        jz      .Lkernel
        testb   %al, -WEFT_HOOK_STACK(%rsp)     /* who overflows his stack shall do so in his own code */
        movw    $1, WEFT_COROUTINE_IN_HOOK(%rcx) /* and no suspect, the byte behind it */
        LABEL   begun                           /* these five: hooks/signal_place.c */

        PUSH    r15
        PUSH    r14
        PUSH    r13
        PUSH    r12
        PUSH    rbp
        PUSH    rbx
        PUSH    r9
        PUSH    r8
        PUSH    r10
        PUSH    rdx
        PUSH    rsi
        PUSH    rdi
        pushq   %rax
        .cfi_adjust_cfa_offset 8
        movq    %rsp, %rbp
        .cfi_def_cfa_register rbp
        movq    %rsp, %rdi
        andq    $-16, %rsp
        call    *%r11
        movq    weft_current@GOTTPOFF(%rip), %rcx
        movq    %fs:(%rcx), %rcx
        /* What a kick finds due between the next two lines would wait for the end of another system call:
         * so it sends us back to the first of them (hooks/signal.c). */
        .globl  weft_entry_leaving
        .hidden weft_entry_leaving
weft_entry_leaving:
        cmpb    $0, WEFT_COROUTINE_SIGNAL_DUE(%rcx)
        jne     .Lsignals
        movb    $0, WEFT_COROUTINE_IN_HOOK(%rcx)
        .globl  weft_entry_left
        .hidden weft_entry_left
weft_entry_left:
        movq    %rbp, %rsp
        .cfi_def_cfa_register rsp
        .cfi_remember_state
        movq    %rax, %rcx                      /* WEFT_RAW is the one number whose negation overflows */
        negq    %rcx
        jo      .Lhook_wants_kernel
.Lreturn:
        addq    $8, %rsp                        /* the number */
        .cfi_adjust_cfa_offset -8
        POP     rdi
        POP     rsi
        POP     rdx
        POP     r10
        POP     r8
        POP     r9
        POP     rbx
        POP     rbp
        POP     r12
        POP     r13
        POP     r14
        POP     r15
        ret

.Lsignals:                                      /* handlers run here, as if behind the system call */
        .cfi_restore_state
        .cfi_def_cfa rbp, WEFT_CALL_SIZE - 8
        movq    %rbp, %rdi
        movq    %rax, %rsi
        call    weft_signals_at_exit
        movq    weft_current@GOTTPOFF(%rip), %rcx
        movq    %fs:(%rcx), %rcx
        jmp     weft_entry_leaving

.Lhook_wants_kernel:
        .cfi_def_cfa rsp, WEFT_CALL_SIZE - 8
        popq    %rax
        .cfi_adjust_cfa_offset -8
        POP     rdi
        POP     rsi
        POP     rdx
        POP     r10
        POP     r8
        POP     r9
        POP     rbx
        POP     rbp
        POP     r12
        POP     r13
        POP     r14
        POP     r15
        /* The slot's own syscall instruction, on the site's own stack: what returns twice, or on
         * another stack, must not need ours. */
.Lkernel:
        LABEL   to_slot
        popq    %rcx                            /* the return into the slot */
        .cfi_adjust_cfa_offset -8
        .cfi_undefined rip
        LABEL   dropped_one
        leaq    SLOT_RETURN_TO_RAW(%rcx), %rcx
        leaq    8 + WEFT_RED_ZONE(%rsp), %rsp
        LABEL   dropped_all
        jmp     *%rcx
        LABEL   end
        .cfi_endproc
        .size   weft_entry, . - weft_entry

/* Resume address of a new coroutine: returns 0 from the clone that it was copied from. The stack holds the
 * floating-point image and the struct weft_call. */
        .globl  weft_entry_return_child
        .hidden weft_entry_return_child
        .type   weft_entry_return_child, @function
        .p2align 4
weft_entry_return_child:
        .cfi_startproc
        .cfi_undefined rip
        addq    $8, %rsp
        movq    %rsp, %rbp                      /* the caller's rbp is in the struct */
        andq    $-16, %rsp
        call    weft_child_started
        movq    weft_current@GOTTPOFF(%rip), %rcx
        movq    %fs:(%rcx), %rcx
        xorl    %eax, %eax
        jmp     weft_entry_leaving
        .cfi_endproc
        .size   weft_entry_return_child, . - weft_entry_return_child

        .section .note.GNU-stack, "", @progbits
