// SPDX-License-Identifier: MIT
// Claims: an x87 exception that one thread has unmasked, and that waits to be raised by its next
// floating-point instruction, is raised there, however many others run in between. And what others have
// raised, masked, is no exception of a thread that unmasks it.
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include "guest.h"

#define DIVBYZERO 4

static pthread_barrier_t all;
static sigjmp_buf back;
static volatile int phase;

static void handler(int signal)
{
    (void)signal;
    siglongjmp(back, 1);
}

static void divide_by_zero(void)
{
    __asm__ volatile("fld1\n\tfldz\n\tfdivrp\n\tfstp %%st(0)" ::: "st");
}

static void unmask_division(void)
{
    uint16_t control;
    __asm__ volatile("fnstcw %0" : "=m"(control));
    control &= (uint16_t)~DIVBYZERO;
    __asm__ volatile("fldcw %0" ::"m"(control));
}

static void *masked(void *argument)
{
    divide_by_zero();
    for (int i = 0; i < 200; i++)
        sched_yield();
    pthread_barrier_wait(&all);
    return argument;
}

static void *unmasked(void *argument)
{
    unmask_division();
    for (int i = 0; i < 100; i++)
        sched_yield();
    if (sigsetjmp(back, 1) == 0) {
        phase = 1;
        // No x87 instruction may follow the division before the last line: each would raise it.
        __asm__ volatile("fld1\n\tfldz\n\tfdivrp" ::: "st");
        for (int i = 0; i < 100; i++)
            sched_yield();
        phase = 2;
        __asm__ volatile("fwait");
        phase = 3;
    }
    __asm__ volatile("fninit");
    CHECK_EQUAL(phase, 2);
    pthread_barrier_wait(&all);
    return argument;
}

int main(void)
{
    struct sigaction action = {.sa_handler = handler};
    pthread_t threads[4];

    CHECK_EQUAL(sigaction(SIGFPE, &action, NULL), 0);
    CHECK_EQUAL(pthread_barrier_init(&all, NULL, 4), 0);
    for (int i = 0; i < 4; i++)
        threads[i] = guest_start(i == 2 ? unmasked : masked, NULL);
    for (int i = 0; i < 4; i++)
        guest_join(threads[i]);
    return guest_success();
}
