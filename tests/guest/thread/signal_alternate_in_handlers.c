// SPDX-License-Identifier: MIT
// Claims: a handler is told of the alternate stack as it was, and its thread has that again when it returns,
// whatever it set meanwhile, unless it changed what it was told; SS_AUTODISARM takes it away for as long as
// any handler runs, also from one within. At the end of a call and in the middle of a computation.
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <ucontext.h>
#include "guest.h"

#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1U << 31)
#endif

enum { SIZE = 64 << 10 };
enum act { NOTHING, SETS, IS_TOLD_ANOTHER, IS_TOLD_TOO_SMALL, IS_TOLD_NONE, IS_TOLD_NONSENSE, ACTS };

static stack_t first, second;
static volatile enum act act;
static volatile int deeper; // handlers that raise another signal
static atomic_int wanted, done;

static const char *name_of(const stack_t *stack)
{
    return stack->ss_sp == first.ss_sp ? "first" : stack->ss_sp == second.ss_sp ? "second" : "none";
}

static void show(const char *when)
{
    stack_t now;
    CHECK_EQUAL(sigaltstack(NULL, &now), 0);
    printf("%s: %s, flags %x, size %zu\n", when, name_of(&now), (unsigned)now.ss_flags, now.ss_size);
}

static bool on_first(const void *address)
{
    return (const char *)address >= (char *)first.ss_sp && (const char *)address < (char *)first.ss_sp + SIZE;
}

static void handle(int number, siginfo_t *info, void *context)
{
    stack_t *told = &((ucontext_t *)context)->uc_stack;
    printf("%d: told of %s, flags %x; on it %d %d\n", number, name_of(told), (unsigned)told->ss_flags,
           on_first(&told), on_first(info));
    show("  has");
    bool may_change = !on_first(&told); // kernels differ in what they make of that
    if (act == SETS)
        printf("  sets: %d\n", sigaltstack(&second, NULL));
    else if (act == IS_TOLD_ANOTHER && may_change)
        *told = second;
    else if (act == IS_TOLD_TOO_SMALL && may_change)
        told->ss_size = 100;
    else if (act == IS_TOLD_NONE && may_change)
        told->ss_flags = SS_DISABLE;
    else if (act == IS_TOLD_NONSENSE && may_change)
        told->ss_flags = 77;
    if (deeper-- > 0)
        CHECK_EQUAL(raise(number == SIGUSR1 ? SIGUSR2 : SIGUSR1), 0);
    if (number == SIGUSR1 && deeper <= 0)
        atomic_fetch_add(&done, 1);
}

static void in_call(void)
{
    CHECK_EQUAL(raise(SIGUSR1), 0);
}

static void computing(void)
{
    int before = atomic_load(&done);
    atomic_fetch_add(&wanted, 1);
    while (atomic_load(&done) == before)
        ;
}

static void two_in_call(void)
{
    sigset_t both;
    sigemptyset(&both);
    sigaddset(&both, SIGUSR1);
    sigaddset(&both, SIGUSR2);
    CHECK_EQUAL(pthread_sigmask(SIG_BLOCK, &both, NULL), 0);
    CHECK(raise(SIGUSR1) == 0 && raise(SIGUSR2) == 0);
    CHECK_EQUAL(pthread_sigmask(SIG_UNBLOCK, &both, NULL), 0);
}

static void handle_on_alternate(bool one, bool two)
{
    struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | (one ? SA_ONSTACK : 0)};
    CHECK_EQUAL(sigaction(SIGUSR1, &action, NULL), 0);
    action.sa_flags = SA_SIGINFO | (two ? SA_ONSTACK : 0);
    CHECK_EQUAL(sigaction(SIGUSR2, &action, NULL), 0);
}

static void try_all(void (*const raise_it)(void), const char *how)
{
    const stack_t none = {.ss_flags = SS_DISABLE};
    stack_t disarmed = first;
    disarmed.ss_flags = (int)SS_AUTODISARM;
    const stack_t *const begins[] = {&none, &first, &disarmed};
    for (int begin = 0; begin < 3; begin++)
        for (int asks = 0; asks < 4; asks++) {
            handle_on_alternate(asks & 1, asks & 2);
            for (int i = 0; i < ACTS + 2; i++) {
                printf("%s, begin %d, SA_ONSTACK %d, act %d\n", how, begin, asks, i);
                CHECK_EQUAL(sigaltstack(begins[begin], NULL), 0);
                act = i < ACTS ? (enum act)i : NOTHING;
                deeper = i < ACTS ? 0 : i - ACTS + 1;
                raise_it();
                show("after");
            }
        }
    CHECK_EQUAL(sigaltstack(&none, NULL), 0);
}

static void *body(void *argument)
{
    try_all(in_call, "call");
    try_all(two_in_call, "two");
    try_all(computing, "computation");
    atomic_store(&wanted, -1);
    return argument;
}

int main(void)
{
    first = (stack_t){.ss_sp = malloc(SIZE), .ss_size = SIZE};
    second = (stack_t){.ss_sp = malloc(SIZE), .ss_size = SIZE};
    pthread_t thread = guest_start(body, NULL);
    for (int seen = 0, now; (now = atomic_load(&wanted)) >= 0; seen = now)
        if (now == seen)
            usleep(100);
        else
            CHECK_EQUAL(pthread_kill(thread, SIGUSR1), 0);
    guest_join(thread);
    return guest_success();
}
