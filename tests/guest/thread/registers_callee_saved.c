// SPDX-License-Identifier: MIT
// Claims: the callee-saved registers and the stack pointer survive every switch: each thread fills rbx, rbp
// and r12 to r15 with values of its own, calls, and finds them again.
#include <sched.h>
#include "guest.h"

#define THREADS 8

static pthread_barrier_t meeting;

// Calls function(argument) with the six registers set to seed + 1 to seed + 6; returns how many came back
// changed.
long call_with_registers(long seed, int (*function)(void *), void *argument);

__asm__(".text\n"
        ".globl call_with_registers\n"
        ".type call_with_registers, @function\n"
        "call_with_registers:\n"
        "    push %rbx\n"
        "    push %rbp\n"
        "    push %r12\n"
        "    push %r13\n"
        "    push %r14\n"
        "    push %r15\n"
        "    push %rdi\n"
        "    lea 1(%rdi), %rbx\n"
        "    lea 2(%rdi), %rbp\n"
        "    lea 3(%rdi), %r12\n"
        "    lea 4(%rdi), %r13\n"
        "    lea 5(%rdi), %r14\n"
        "    lea 6(%rdi), %r15\n"
        "    mov %rdx, %rdi\n"
        "    call *%rsi\n"
        "    pop %rdi\n"
        "    xor %eax, %eax\n"
        "    sub %rdi, %rbx\n"
        "    cmp $1, %rbx\n"
        "    setne %al\n"
        "    sub %rdi, %rbp\n"
        "    cmp $2, %rbp\n"
        "    setne %cl\n"
        "    add %cl, %al\n"
        "    sub %rdi, %r12\n"
        "    cmp $3, %r12\n"
        "    setne %cl\n"
        "    add %cl, %al\n"
        "    sub %rdi, %r13\n"
        "    cmp $4, %r13\n"
        "    setne %cl\n"
        "    add %cl, %al\n"
        "    sub %rdi, %r14\n"
        "    cmp $5, %r14\n"
        "    setne %cl\n"
        "    add %cl, %al\n"
        "    sub %rdi, %r15\n"
        "    cmp $6, %r15\n"
        "    setne %cl\n"
        "    add %cl, %al\n"
        "    pop %r15\n"
        "    pop %r14\n"
        "    pop %r13\n"
        "    pop %r12\n"
        "    pop %rbp\n"
        "    pop %rbx\n"
        "    ret\n"
        ".size call_with_registers, . - call_with_registers\n");

static int yield(void *argument)
{
    (void)argument;
    return sched_yield();
}

static int block(void *argument)
{
    return pthread_barrier_wait((pthread_barrier_t *)argument);
}

static int doze(void *argument)
{
    (void)argument;
    return usleep(1);
}

static void *body(void *index)
{
    long seed = ((long)(intptr_t)index + 1) << 40;
    for (int i = 0; i < 50; i++) {
        CHECK_EQUAL(call_with_registers(seed + i * 100, yield, NULL), 0);
        CHECK_EQUAL(call_with_registers(seed + i * 100, block, &meeting), 0);
        CHECK_EQUAL(call_with_registers(seed + i * 100, doze, NULL), 0);
    }
    return NULL;
}

int main(void)
{
    CHECK_EQUAL(pthread_barrier_init(&meeting, NULL, THREADS), 0);
    guest_threads(THREADS, body);
    return guest_success();
}
