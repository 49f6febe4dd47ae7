// SPDX-License-Identifier: MIT
// Claims: a handler that changes the vector registers, the rounding mode and the x87 stack leaves those of
// the code that it interrupted as they were: at the end of a system call and in a computation.
#include <fenv.h>
#include <signal.h>
#include "guest.h"

static volatile int handled;
static int self;
static sigset_t user_signals;

static void handle(int number)
{
    (void)number;
    handled++;
    CHECK_EQUAL(fegetround(), FE_TONEAREST);
    fesetround(FE_UPWARD);
    __asm__ volatile(
        "pxor %%xmm0, %%xmm0\n\tpxor %%xmm1, %%xmm1\n\tpxor %%xmm7, %%xmm7\n\tpxor %%xmm15, %%xmm15\n\t"
        "fldpi\n\tfldl2e"
        :
        :
        : "xmm0", "xmm1", "xmm7", "xmm15");
}

// Loads four registers, calls kill(self, SIGUSR1), whose code touches none of them, and stores them again.
static void call_with_values(uint64_t values[4], uint64_t after[4])
{
    long result;
    __asm__ volatile("movq (%[values]), %%xmm0\n\tmovq 8(%[values]), %%xmm1\n\t"
                     "movq 16(%[values]), %%xmm7\n\tmovq 24(%[values]), %%xmm15\n\t"
                     "movq %%rsp, %%rbx\n\tsubq $256, %%rsp\n\tandq $-16, %%rsp\n\t"
                     "call *%[function]\n\tmovq %%rbx, %%rsp\n\t"
                     "movq %%xmm0, (%[after])\n\tmovq %%xmm1, 8(%[after])\n\t"
                     "movq %%xmm7, 16(%[after])\n\tmovq %%xmm15, 24(%[after])"
                     : "=a"(result)
                     : [values] "r"(values), [after] "r"(after), [function] "r"(kill), "D"(self), "S"(SIGUSR1)
                     : "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "memory", "cc", "xmm0", "xmm1", "xmm7",
                       "xmm15");
    CHECK_EQUAL((int)result, 0);
}

static void *body(void *argument)
{
    CHECK_EQUAL(pthread_sigmask(SIG_UNBLOCK, &user_signals, NULL), 0);
    uint64_t values[4] = {1, 2, 3, 4}, after[4] = {0};
    for (int i = 0; i < 100; i++) {
        int before = handled;
        values[0]++;
        call_with_values(values, after);
        CHECK_EQUAL(handled, before + 1);
        CHECK(memcmp(values, after, sizeof(values)) == 0);
        CHECK_EQUAL(fegetround(), FE_TONEAREST);
        CHECK_EQUAL((int)(1.5L * 2), 3);
    }
    return argument;
}

int main(void)
{
    struct sigaction action = {.sa_handler = handle};

    self = getpid();
    CHECK_EQUAL(sigaction(SIGUSR1, &action, NULL), 0);
    CHECK_EQUAL(sigaction(SIGALRM, &action, NULL), 0);
    // The thread alone may take it.
    sigemptyset(&user_signals);
    sigaddset(&user_signals, SIGUSR1);
    CHECK_EQUAL(pthread_sigmask(SIG_BLOCK, &user_signals, NULL), 0);
    pthread_t thread = guest_start(body, NULL);
    guest_join(thread);

    double x = 0, y = 0;
    handled = 0;
    CHECK_EQUAL(ualarm(1000, 500), 0);
    for (long i = 1; handled < 20; i++) {
        x += 1.0 / (double)i;
        y += 1.0 / (double)i;
        CHECK(x == y);
    }
    ualarm(0, 0);
    CHECK_EQUAL(fegetround(), FE_TONEAREST);
    return guest_success();
}
