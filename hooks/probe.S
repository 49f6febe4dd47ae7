/* SPDX-License-Identifier: MIT */
/*
 * long weft_probe_start(uint32_t *word %rdi, uint32_t ticket %esi) starts a kernel thread that does nothing while
 * *word is `ticket`, and exits then. Returns its id or -errno. All signals must be blocked.
 *
 * The thread touches no stack, so it needs none: it has the caller's stack pointer, and only registers.
 */
#define SYS_clone          56
#define SYS_exit           60
#define SYS_futex          202
#define FUTEX_WAIT_PRIVATE 128
/* CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM */
#define FLAGS              0x00050f00

        .text
        .globl  weft_probe_start
        .hidden weft_probe_start
        .type   weft_probe_start, @function
weft_probe_start:
        .cfi_startproc
        movq    %rdi, %r8                       /* the kernel ignores r8, edx and r10 with these flags */
        movl    %esi, %edx
        movl    $FLAGS, %edi
        xorl    %esi, %esi                      /* stack: as it is */
        movl    $SYS_clone, %eax
        syscall
        testq   %rax, %rax
        jz      1f
        ret
        .cfi_endproc
        .cfi_startproc
        .cfi_undefined rip
1:      movq    %r8, %rdi                       /* the new thread: futex(word, wait, ticket, forever) */
        movl    $FUTEX_WAIT_PRIVATE, %esi
        xorl    %r10d, %r10d
2:      cmpl    %edx, (%rdi)
        jne     3f
        movl    $SYS_futex, %eax
        syscall
        jmp     2b
3:      xorl    %edi, %edi
        movl    $SYS_exit, %eax
        syscall
        ud2
        .cfi_endproc
        .size   weft_probe_start, . - weft_probe_start

        .section .note.GNU-stack, "", @progbits
