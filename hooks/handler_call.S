/* SPDX-License-Identifier: MIT */
/*
 * Calls of the program's signal handlers. The handler gets what the kernel would give it: a stack, cleared
 * floating-point state, and the rest of us behind frames that an unwinder can walk (pthread_cancel, a C++
 * exception).
 */
#include "handler_call.h"

        .text

/* void weft_handler_call(const struct weft_handler_call *call %rdi) */
        .globl  weft_handler_call
        .hidden weft_handler_call
        .type   weft_handler_call, @function
        .p2align 4
weft_handler_call:
        .cfi_startproc
        pushq   %rbp
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset rbp, 0
        movq    %rsp, %rbp
        .cfi_def_cfa_register rbp
        pushq   %rbx
        .cfi_offset rbx, -24
        pushq   %r12
        .cfi_offset r12, -32
        movq    %rdi, %rbx
        movq    WEFT_HANDLER_STATE(%rbx), %r12
        testq   %r12, %r12                      /* the kernel has saved it already, */
        jz      3f                              /* but an earlier handler may have changed it since */
        movl    WEFT_HANDLER_FEATURES(%rbx), %eax
        testl   %eax, %eax
        jz      2f
        xorl    %edx, %edx
        xsave64 (%r12)
        jmp     3f
2:      fxsave64 (%r12)
3:      fninit
        ldmxcsr .Lmxcsr(%rip)
        movq    WEFT_HANDLER_STACK(%rbx), %rax
        testq   %rax, %rax
        cmovnzq %rax, %rsp
        andq    $-16, %rsp
        movl    WEFT_HANDLER_NUMBER(%rbx), %edi
        movq    WEFT_HANDLER_INFO(%rbx), %rsi
        movq    WEFT_HANDLER_CONTEXT(%rbx), %rdx
        xorl    %eax, %eax
        call    *WEFT_HANDLER_FUNCTION(%rbx)
        testq   %r12, %r12
        jz      5f
        movl    WEFT_HANDLER_FEATURES(%rbx), %eax
        testl   %eax, %eax
        jz      4f
        xorl    %edx, %edx
        xrstor64 (%r12)
        jmp     5f
4:      fxrstor64 (%r12)
5:      leaq    -16(%rbp), %rsp
        popq    %r12
        .cfi_restore r12
        popq    %rbx
        .cfi_restore rbx
        popq    %rbp
        .cfi_def_cfa rsp, 8
        .cfi_restore rbp
        ret
        .cfi_endproc
        .size   weft_handler_call, . - weft_handler_call

/*
 * void weft_handler_continue(void *frame %rdi, int number %esi, siginfo_t *info %rdx, void *context %rcx,
 * function %r8) goes on in function(number, info, context) on the stack of `frame`, a copy of the frame that
 * the kernel made: its first word leads to rt_sigreturn, which returns by the copy.
 */
        .globl  weft_handler_continue
        .hidden weft_handler_continue
        .type   weft_handler_continue, @function
        .p2align 4
weft_handler_continue:
        .cfi_startproc
        movq    %rdi, %rsp
        movl    %esi, %edi
        movq    %rdx, %rsi
        movq    %rcx, %rdx
        jmp     *%r8
        .cfi_endproc
        .size   weft_handler_continue, . - weft_handler_continue

/*
 * void weft_handler_leave(const greg_t *registers %rdi) goes on with the registers of a ucontext but those of
 * the segments. It uses the stack that it was called on for the last time; the program's, which may be another,
 * is not touched.
 */
#define CHANGEABLE_FLAGS 0x50dd5                /* what rt_sigreturn takes of them: FIX_EFLAGS in the kernel */
#define SAVED_RSP        (8 * 15)               /* REG_RSP, ... in <sys/ucontext.h>, which is for C only */
#define SAVED_RIP        (8 * 16)
#define SAVED_FLAGS      (8 * 17)

        .globl  weft_handler_leave
        .hidden weft_handler_leave
        .type   weft_handler_leave, @function
        .p2align 4
weft_handler_leave:
        .cfi_startproc
        .cfi_undefined rip
        movl    %ss, %eax                       /* what iretq takes: ss, rsp, flags, cs, rip */
        pushq   %rax
        pushq   SAVED_RSP(%rdi)
        movq    SAVED_FLAGS(%rdi), %rax
        andl    $CHANGEABLE_FLAGS, %eax
        pushq   %rax
        movl    %cs, %eax
        pushq   %rax
        pushq   SAVED_RIP(%rdi)
        movq    8 * 0(%rdi), %r8
        movq    8 * 1(%rdi), %r9
        movq    8 * 2(%rdi), %r10
        movq    8 * 3(%rdi), %r11
        movq    8 * 4(%rdi), %r12
        movq    8 * 5(%rdi), %r13
        movq    8 * 6(%rdi), %r14
        movq    8 * 7(%rdi), %r15
        movq    8 * 9(%rdi), %rsi
        movq    8 * 10(%rdi), %rbp
        movq    8 * 11(%rdi), %rbx
        movq    8 * 12(%rdi), %rdx
        movq    8 * 13(%rdi), %rax
        movq    8 * 14(%rdi), %rcx
        movq    8 * 8(%rdi), %rdi
        iretq
        .cfi_endproc
        .size   weft_handler_leave, . - weft_handler_leave

/*
 * weft_signal_return: where our own handlers return to. Without a frame description, and with a byte before it that
 * has none either, the instructions themselves tell unwinders that a signal frame lies above; gdb looks at them only
 * where there is no symbol, or one of this name.
 */
        .globl  __restore_rt
        .hidden __restore_rt
        .type   __restore_rt, @function
        .p2align 4
        nop
__restore_rt:
        movq    $15, %rax                       /* rt_sigreturn */
        syscall
        .size   __restore_rt, . - __restore_rt

        .section .rodata
        .p2align 2
.Lmxcsr:
        .long   0x1f80

        .section .note.GNU-stack, "", @progbits
