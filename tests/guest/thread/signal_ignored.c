// SPDX-License-Identifier: MIT
// Claims: an ignored signal interrupts no thread; setting a signal to be ignored discards what is pending,
// for each thread and the process; blocked and ignored it can still be waited for.
#include <signal.h>
#include "guest.h"

static pthread_barrier_t meeting;
static int empty[2];

static void never(int number)
{
    (void)number;
    CHECK(!"an ignored signal was handled");
}

static void *body(void *argument)
{
    sigset_t set, pending;
    siginfo_t info;
    char byte;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGRTMIN);
    CHECK_EQUAL(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
    for (int i = 0; i < 3; i++) {
        CHECK_EQUAL(raise(SIGUSR1), 0);
        CHECK_EQUAL(pthread_sigqueue(pthread_self(), SIGRTMIN, (union sigval){0}), 0);
    }
    CHECK_EQUAL(sigpending(&pending), 0);
    CHECK(sigismember(&pending, SIGUSR1) && sigismember(&pending, SIGRTMIN));
    pthread_barrier_wait(&meeting);
    pthread_barrier_wait(&meeting); // main ignores both meanwhile
    CHECK_EQUAL(sigpending(&pending), 0);
    CHECK(!sigismember(&pending, SIGUSR1) && !sigismember(&pending, SIGRTMIN));
    CHECK_EQUAL(raise(SIGUSR1), 0);
    CHECK_EQUAL(sigwaitinfo(&set, &info), SIGUSR1);
    CHECK_EQUAL(pthread_sigmask(SIG_UNBLOCK, &set, NULL), 0);
    pthread_barrier_wait(&meeting);
    CHECK_EQUAL(read(empty[0], &byte, 1), 1); // not interrupted
    return argument;
}

int main(void)
{
    struct sigaction action = {.sa_handler = never};

    CHECK_EQUAL(pipe(empty), 0);
    CHECK_EQUAL(pthread_barrier_init(&meeting, NULL, 2), 0);
    CHECK_EQUAL(sigaction(SIGUSR1, &action, NULL), 0);
    CHECK_EQUAL(sigaction(SIGRTMIN, &action, NULL), 0);
    pthread_t thread = guest_start(body, NULL);
    pthread_barrier_wait(&meeting);
    action.sa_handler = SIG_IGN;
    CHECK_EQUAL(sigaction(SIGUSR1, &action, NULL), 0);
    CHECK_EQUAL(sigaction(SIGRTMIN, &action, NULL), 0);
    pthread_barrier_wait(&meeting);
    pthread_barrier_wait(&meeting);
    for (int i = 0; i < 10; i++) {
        usleep(100);
        CHECK_EQUAL(pthread_kill(thread, SIGUSR1), 0);
        CHECK_EQUAL(pthread_kill(thread, SIGWINCH), 0);
        CHECK_EQUAL(kill(getpid(), SIGRTMIN), 0);
    }
    CHECK_EQUAL(write(empty[1], "x", 1), 1);
    guest_join(thread);
    return guest_success();
}
