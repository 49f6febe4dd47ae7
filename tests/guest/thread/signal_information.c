// SPDX-License-Identifier: MIT
// Claims: a handler with SA_SIGINFO is told who sent the signal and how: pthread_kill, raise, kill, sigqueue,
// pthread_sigqueue with a value, a timer, and the address of a fault; its context has the interrupted stack
// pointer.
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>
#include "guest.h"

static __thread siginfo_t seen;
static __thread volatile uintptr_t stack_pointer;
static void *page;

static void handle(int number, siginfo_t *info, void *context)
{
    CHECK_EQUAL(number, info->si_signo);
    seen = *info;
    stack_pointer = (uintptr_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RSP];
    if (number == SIGSEGV)
        CHECK_EQUAL(mprotect(page, 4096, PROT_READ | PROT_WRITE), 0);
}

static void check(int number, int code, int value)
{
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    CHECK_EQUAL(seen.si_signo, number);
    CHECK_EQUAL(seen.si_code, code);
    if (code == SI_QUEUE || code == SI_TIMER)
        CHECK_EQUAL(seen.si_value.sival_int, value);
    if (code != SI_TIMER && code != SEGV_ACCERR) {
        CHECK_EQUAL(seen.si_pid, getpid());
        CHECK_EQUAL(seen.si_uid, getuid());
    }
    CHECK(stack_pointer - here + 4096 < 8192);
    memset(&seen, 0, sizeof(seen));
}

static void *body(void *argument)
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN + 1};
    struct itimerspec once = {{0, 0}, {0, 1000}};
    timer_t timer;
    sigset_t all;

    sigfillset(&all);
    CHECK_EQUAL(pthread_sigmask(SIG_UNBLOCK, &all, NULL), 0);
    CHECK_EQUAL(raise(SIGUSR1), 0);
    check(SIGUSR1, SI_TKILL, 0);
    CHECK_EQUAL(pthread_kill(pthread_self(), SIGUSR2), 0);
    check(SIGUSR2, SI_TKILL, 0);
    CHECK_EQUAL(pthread_sigqueue(pthread_self(), SIGRTMIN, (union sigval){.sival_int = 7}), 0);
    check(SIGRTMIN, SI_QUEUE, 7);
    CHECK_EQUAL(kill(getpid(), SIGUSR1), 0); // nobody else can have it
    check(SIGUSR1, SI_USER, 0);
    CHECK_EQUAL(sigqueue(getpid(), SIGUSR2, (union sigval){.sival_int = 9}), 0);
    check(SIGUSR2, SI_QUEUE, 9);

    event._sigev_un._tid = gettid();
    event.sigev_value.sival_int = 11;
    CHECK_EQUAL(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
    CHECK_EQUAL(timer_settime(timer, 0, &once, NULL), 0);
    while (*(volatile int *)&seen.si_signo == 0)
        usleep(200);
    seen.si_signo = SIGRTMIN + 1;
    CHECK_EQUAL(seen.si_code, SI_TIMER);
    CHECK_EQUAL(seen.si_value.sival_int, 11);
    CHECK_EQUAL(timer_delete(timer), 0);

    page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ((volatile char *)page)[123] = 1;
    CHECK(seen.si_addr == (char *)page + 123);
    check(SIGSEGV, SEGV_ACCERR, 0);
    return argument;
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO};
    sigset_t all;

    CHECK_EQUAL(sigaction(SIGUSR1, &action, NULL), 0);
    CHECK_EQUAL(sigaction(SIGUSR2, &action, NULL), 0);
    CHECK_EQUAL(sigaction(SIGRTMIN, &action, NULL), 0);
    CHECK_EQUAL(sigaction(SIGRTMIN + 1, &action, NULL), 0);
    CHECK_EQUAL(sigaction(SIGSEGV, &action, NULL), 0);
    for (int i = 0; i < 5; i++) {
        sigfillset(&all);
        CHECK_EQUAL(pthread_sigmask(SIG_BLOCK, &all, NULL), 0);
        pthread_t thread = guest_start(body, NULL);
        guest_join(thread);
        CHECK_EQUAL(pthread_sigmask(SIG_UNBLOCK, &all, NULL), 0);
    }
    return guest_success();
}
