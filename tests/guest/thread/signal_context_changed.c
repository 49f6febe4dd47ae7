// SPDX-License-Identifier: MIT
// Claims: the program goes on with what a handler has made of its context, also at the end of a system call:
// with another result, behind a call that would have been made again, with other vector registers, another
// mask, in another place and on another stack. It does so on the thread's stack and on an alternate one, in
// calls that wait and in calls that do not, while other signals come.
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include "guest.h"

enum { STACK = 64 << 10, RESULT = 77, ROUNDS = 200, SIGNALS = 20, WAITS = 20, LENGTH = 4321 };
enum change { RESULT_AND_VECTOR, RESULT_OF_CALL, RESULT_OF_WAIT, INSTEAD_OF_RESTART, OTHER_PLACE, MASK };

static __thread volatile enum change change;
static __thread char *stack_elsewhere;
static __thread sigjmp_buf back;
static __thread volatile bool arrived;
static int ends[2];
static atomic_int urgent, results;

static void elsewhere(long number)
{
    char here;
    CHECK(&here > stack_elsewhere && &here < stack_elsewhere + STACK);
    CHECK_EQUAL(number, RESULT);
    CHECK_EQUAL((uintptr_t)__builtin_frame_address(0) % 16, 0);
    arrived = true;
    siglongjmp(back, 1);
}

static void handle(int number, siginfo_t *info, void *context)
{
    ucontext_t *interrupted = context;
    greg_t *registers = interrupted->uc_mcontext.gregs;
    double value;
    (void)info;
    __asm__ volatile("xorps %%xmm9, %%xmm9" ::: "xmm9");
    switch (change) {
    case RESULT_AND_VECTOR:
        memcpy(&value, &interrupted->uc_mcontext.fpregs->_xmm[9], sizeof value);
        value *= 2;
        memcpy(&interrupted->uc_mcontext.fpregs->_xmm[9], &value, sizeof value);
        registers[REG_RAX] = RESULT;
        break;
    case RESULT_OF_CALL:
        registers[REG_RAX] = RESULT;
        break;
    case RESULT_OF_WAIT:
        if (registers[REG_RDX] == LENGTH && registers[REG_RAX] == -EINTR)
            registers[REG_RAX] = RESULT;
        break;
    case INSTEAD_OF_RESTART:
        if (registers[REG_RDX] == LENGTH && registers[REG_RAX] == SYS_recvfrom) {
            registers[REG_RIP] += 2;
            registers[REG_RAX] = RESULT;
        }
        break;
    case OTHER_PLACE:
        registers[REG_RIP] = (greg_t)elsewhere;
        registers[REG_RSP] = (greg_t)(stack_elsewhere + STACK - 8);
        registers[REG_RDI] = RESULT;
        break;
    case MASK:
        CHECK_EQUAL(sigaddset(&interrupted->uc_sigmask, number), 0);
        break;
    }
}

static void count(int number)
{
    (void)number;
    atomic_fetch_add(&urgent, 1);
}

// As raise, but with the kernel's result.
static long send_self(int number)
{
    return syscall(SYS_tgkill, getpid(), gettid(), number);
}

static void go_elsewhere(void)
{
    change = OTHER_PLACE;
    arrived = false;
    if (sigsetjmp(back, 1) == 0) {
        send_self(SIGUSR1);
        CHECK(!"it came back");
    }
    CHECK(arrived);
}

// As send_self, with *value in a vector register, in which it is found afterwards.
static long send_self_with(double *value)
{
    register double *kept __asm__("rbx") = value;
    register long (*function)(long, ...) __asm__("r12") = syscall;
    long result, arguments[] = {SYS_tgkill, getpid(), gettid(), SIGUSR1};
    __asm__ volatile("movsd (%[kept]), %%xmm9\n\t"
                     "leaq -128(%%rsp), %%rsp\n\t" // the compiler does not know of the call
                     "call *%[function]\n\t"
                     "leaq 128(%%rsp), %%rsp\n\t"
                     "movsd %%xmm9, (%[kept])"
                     : "=a"(result), "+D"(arguments[0]), "+S"(arguments[1]), "+d"(arguments[2]),
                       "+c"(arguments[3])
                     : [kept] "r"(kept), [function] "r"(function)
                     : "r8", "r9", "r10", "r11", "xmm9", "memory", "cc");
    return result;
}

static void double_a_vector_register(void)
{
    double value = 1.5;
    change = RESULT_AND_VECTOR;
    CHECK_EQUAL(send_self_with(&value), RESULT);
    CHECK(value == 3);
}

static void set_handler(int flags)
{
    struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | flags};
    CHECK_EQUAL(sigaction(SIGUSR1, &action, NULL), 0);
}

static void keep_mask(void)
{
    sigset_t now;
    change = MASK;
    CHECK_EQUAL(raise(SIGUSR1), 0);
    CHECK_EQUAL(pthread_sigmask(SIG_SETMASK, NULL, &now), 0);
    CHECK_EQUAL(sigismember(&now, SIGUSR1), 1);
    sigemptyset(&now);
    CHECK_EQUAL(pthread_sigmask(SIG_SETMASK, &now, NULL), 0);
}

static void suspend_with_result(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK_EQUAL(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
    CHECK_EQUAL(raise(SIGUSR1), 0);
    change = RESULT_OF_CALL;
    sigemptyset(&set);
    CHECK_EQUAL(sigsuspend(&set), RESULT);
    CHECK_EQUAL(pthread_sigmask(SIG_SETMASK, NULL, &set), 0);
    CHECK_EQUAL(sigismember(&set, SIGUSR1), 1);
    sigemptyset(&set);
    CHECK_EQUAL(pthread_sigmask(SIG_SETMASK, &set, NULL), 0);
}

static void *in_calls(void *argument)
{
    stack_t alternate = {.ss_sp = malloc(STACK), .ss_size = STACK};
    stack_elsewhere = malloc(STACK);
    CHECK_EQUAL(sigaltstack(&alternate, NULL), 0);
    for (int i = 0; i < ROUNDS || atomic_load(&urgent) < SIGNALS; i++) {
        set_handler(i % 2 ? SA_ONSTACK : 0);
        double_a_vector_register();
        go_elsewhere();
        keep_mask();
        suspend_with_result();
    }
    return argument;
}

// Main signals until the call has ended so.
static void *receive(void *restarts)
{
    static char room[LENGTH];
    stack_t alternate = {.ss_sp = malloc(STACK), .ss_size = STACK};
    CHECK_EQUAL(sigaltstack(&alternate, NULL), 0);
    change = restarts ? INSTEAD_OF_RESTART : RESULT_OF_WAIT;
    for (int i = 0; i < WAITS; i++) {
        set_handler((restarts ? SA_RESTART : 0) | (i % 2 ? SA_ONSTACK : 0));
        CHECK_EQUAL(recv(ends[0], room, LENGTH, 0), RESULT);
        atomic_fetch_add(&results, 1);
    }
    return NULL;
}

static void signal_until_done(pthread_t thread, int number)
{
    void *result;
    while (pthread_tryjoin_np(thread, &result) == EBUSY) {
        CHECK_EQUAL(pthread_kill(thread, number), 0);
        usleep(200);
    }
}

int main(void)
{
    const struct sigaction action = {.sa_handler = count, .sa_flags = SA_RESTART};
    CHECK_EQUAL(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    CHECK_EQUAL(sigaction(SIGURG, &action, NULL), 0);
    set_handler(0);
    signal_until_done(guest_start(in_calls, NULL), SIGURG);
    signal_until_done(guest_start(receive, NULL), SIGUSR1);
    signal_until_done(guest_start(receive, ends), SIGUSR1);
    CHECK_EQUAL(atomic_load(&results), 2 * WAITS);
    return guest_success();
}
