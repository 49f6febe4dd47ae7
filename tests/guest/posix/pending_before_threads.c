// SPDX-License-Identifier: MIT
// Claims: signals that were blocked and sent before the first thread was made stay what they were: those for
// main's thread are pending for main only, those for the process for all; a new thread inherits the mask, and
// main gets each of its own once it unblocks them.
#include <signal.h>
#include "guest.h"

static volatile sig_atomic_t own, shared;
static sigset_t blocked;

static void handler(int number, siginfo_t *info, void *context)
{
    (void)context;
    if (number == SIGUSR2)
        shared++;
    else
        own += info->si_code == SI_TKILL && info->si_pid == getpid();
}

static void *looks(void *argument)
{
    sigset_t set;
    (void)argument;
    CHECK_EQUAL(pthread_sigmask(SIG_SETMASK, NULL, &set), 0);
    CHECK(sigismember(&set, SIGUSR1) && sigismember(&set, SIGUSR2) && sigismember(&set, SIGRTMIN));
    CHECK_EQUAL(sigpending(&set), 0);
    CHECK(!sigismember(&set, SIGUSR1) && !sigismember(&set, SIGRTMIN));
    CHECK(sigismember(&set, SIGUSR2));
    return NULL;
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    sigset_t set;
    CHECK_EQUAL(sigemptyset(&blocked), 0);
    CHECK(sigaddset(&blocked, SIGUSR1) == 0 && sigaddset(&blocked, SIGUSR2) == 0 &&
          sigaddset(&blocked, SIGRTMIN) == 0);
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0 && sigaction(SIGUSR2, &action, NULL) == 0 &&
          sigaction(SIGRTMIN, &action, NULL) == 0);
    CHECK_EQUAL(sigprocmask(SIG_SETMASK, &blocked, NULL), 0);
    CHECK_EQUAL(raise(SIGUSR1), 0);
    CHECK_EQUAL(kill(getpid(), SIGUSR2), 0);
    for (int i = 0; i < 3; i++)
        CHECK_EQUAL(raise(SIGRTMIN), 0);
    guest_threads(4, looks);
    CHECK_EQUAL(sigpending(&set), 0);
    CHECK(sigismember(&set, SIGUSR1) && sigismember(&set, SIGUSR2) && sigismember(&set, SIGRTMIN));
    CHECK(own == 0 && shared == 0);
    CHECK_EQUAL(sigprocmask(SIG_UNBLOCK, &blocked, NULL), 0);
    CHECK_EQUAL(own, 4);
    CHECK_EQUAL(shared, 1);
    return guest_success();
}
