// SPDX-License-Identifier: MIT
// Claims: a handler that is due at the end of a system call and finds no room for its frame becomes SIGSEGV,
// which can be handled on the alternate stack, and ends the process otherwise. A handler on the alternate
// stack gets all it is given there, and needs no room on the thread's; nor does one within it, until the
// alternate stack ends.
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <ucontext.h>
#include "stack_end.h"

enum { ALTERNATE = 64 << 10, STACK = 64 << 10, ROUNDS = 3, NESTED = 5, LEFT = 3 << 10 };

static __thread sigjmp_buf place;
static __thread char *alternate;
static __thread volatile int nested, handled, deepest;
static __thread char *outer, *inner; // where the frames of the first two handlers are that nest
static int ends[2];

static bool on_alternate(const void *address)
{
    return (const char *)address >= alternate && (const char *)address < alternate + ALTERNATE;
}

static void on_fault(int number, siginfo_t *info, void *context)
{
    (void)number, (void)context;
    CHECK(on_alternate(info));
    CHECK_EQUAL(info->si_code, SI_KERNEL);
    CHECK(info->si_addr == NULL);
    siglongjmp(place, 1);
}

static void on_user1(int number)
{
    (void)number;
    handled++;
}

// SA_ONSTACK and SA_NODEFER: raises itself, at first.
static void on_user2(int number, siginfo_t *info, void *context)
{
    const ucontext_t *interrupted = context;
    char here;
    CHECK(on_alternate(&here) && on_alternate(info) && on_alternate(context));
    CHECK(on_alternate(interrupted->uc_mcontext.fpregs));
    CHECK((char *)context > &here && (char *)info > &here);
    CHECK_EQUAL(info->si_signo, number);
    CHECK_EQUAL(on_alternate((void *)interrupted->uc_mcontext.gregs[REG_RSP]), nested > 0);
    handled++;
    if (nested < 2)
        *(nested ? &inner : &outer) = &here;
    if (++nested < deepest)
        CHECK_EQUAL(raise(number), 0);
    CHECK(on_alternate(info) && info->si_signo == number);
    nested--;
}

static void by_raise(void)
{
    CHECK_EQUAL(raise(SIGUSR1), 0);
}

static void block_and_raise(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK_EQUAL(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
    CHECK_EQUAL(raise(SIGUSR1), 0);
}

static void unblock(void)
{
    sigset_t set;
    sigemptyset(&set);
    CHECK_EQUAL(pthread_sigmask(SIG_SETMASK, &set, NULL), 0);
}

static void by_mask(void)
{
    block_and_raise();
    unblock();
}

static void by_suspend(void)
{
    sigset_t set;
    block_and_raise();
    sigemptyset(&set);
    CHECK_EQUAL(sigsuspend(&set), -1);
    unblock();
}

// Signalled by main.
static void by_read(void)
{
    char byte;
    CHECK_EQUAL(read(ends[0], &byte, 1), -1);
    CHECK_EQUAL(errno, EINTR);
}

static void (*const calls[])(void) = {by_raise, by_mask, by_suspend, by_read};
enum { CALLS = sizeof calls / sizeof calls[0] };

__attribute__((noinline)) static void nest(const char *low)
{
    volatile char room[256];
    room[0] = 0;
    if (room - low > LEFT + (long)sizeof room)
        nest(low);
    else
        CHECK_EQUAL(raise(SIGUSR2), 0);
    room[1] = 1;
}

static void set_alternate(void)
{
    stack_t stack = {.ss_size = ALTERNATE};
    alternate = stack.ss_sp = (char *)malloc(2 * ALTERNATE) + ALTERNATE; // below it there is memory, too
    CHECK_EQUAL(sigaltstack(&stack, NULL), 0);
}

static void *body(void *index)
{
    set_alternate();
    sigset_t set;
    for (volatile int i = 0; i < ROUNDS; i++) {
        handled = 0;
        if (sigsetjmp(place, 1) == 0)
            stack_overflow(calls[(intptr_t)index], 0);
        CHECK(handled > 10);
        unblock();
        calls[(intptr_t)index]();
    }
    const char *low = stack_lowest(STACK);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1); // of main
    CHECK_EQUAL(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
    for (volatile int i = 1; i <= NESTED; i++) {
        deepest = i;
        handled = nested = 0;
        nest(low);
        CHECK(handled == i && nested == 0);
    }
    return (void *)1;
}

static pthread_t start(void *(*function)(void *), void *argument)
{
    pthread_attr_t attributes;
    pthread_t thread;
    CHECK_EQUAL(pthread_attr_init(&attributes), 0);
    CHECK_EQUAL(pthread_attr_setstacksize(&attributes, STACK), 0);
    CHECK_EQUAL(pthread_create(&thread, &attributes, function, argument), 0);
    return thread;
}

static void *without_alternate(void *argument)
{
    stack_overflow(by_raise, 0);
    return argument;
}

static void *with_blocked(void *argument)
{
    sigset_t set;
    set_alternate();
    sigemptyset(&set);
    sigaddset(&set, SIGSEGV);
    CHECK_EQUAL(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
    stack_overflow(by_raise, 0);
    return argument;
}

// The kernel must be the one who finds no room. Should a handler's own code leave the stack by its lower end,
// the next one would begin at the top again. So the last handler has half of what one needs below it.
static void *on_alternate_alone(void *argument)
{
    set_alternate();
    deepest = 2;
    CHECK_EQUAL(raise(SIGUSR2), 0);
    char *end = alternate + ALTERNATE;
    stack_t stack = {.ss_size = (size_t)((end - outer) + 2 * (outer - inner) + (outer - inner) / 2)};
    CHECK(stack.ss_size < ALTERNATE);
    stack.ss_sp = end - stack.ss_size;
    CHECK_EQUAL(sigaltstack(&stack, NULL), 0);
    deepest = 1000000;
    CHECK_EQUAL(raise(SIGUSR2), 0);
    return argument;
}

static void end_of_process(void *(*function)(void *))
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        guest_join(start(function, NULL));
        _exit(1);
    }
    CHECK_EQUAL(waitpid(child, &status, 0), child);
    CHECK(WIFSIGNALED(status));
    CHECK_EQUAL(WTERMSIG(status), SIGSEGV);
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    pthread_t threads[CALLS];
    CHECK_EQUAL(sigaction(SIGSEGV, &action, NULL), 0);
    action = (struct sigaction){.sa_handler = on_user1};
    CHECK_EQUAL(sigaction(SIGUSR1, &action, NULL), 0);
    action.sa_sigaction = on_user2;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    CHECK_EQUAL(sigaction(SIGUSR2, &action, NULL), 0);
    CHECK_EQUAL(pipe(ends), 0);
    for (intptr_t i = 0; i < CALLS; i++)
        threads[i] = start(body, (void *)i);
    void *result;
    while (pthread_tryjoin_np(threads[CALLS - 1], &result) == EBUSY) {
        CHECK_EQUAL(pthread_kill(threads[CALLS - 1], SIGUSR1), 0);
        usleep(500);
    }
    CHECK(result != NULL);
    for (int i = 0; i < CALLS - 1; i++)
        CHECK(guest_join(threads[i]) != NULL);
    end_of_process(without_alternate);
    end_of_process(with_blocked);
    end_of_process(on_alternate_alone);
    return guest_success();
}
