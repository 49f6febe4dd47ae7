// SPDX-License-Identifier: MIT
// Claims: while threads let signals in and out all the time, main goes on, and the process gets its signals:
// those that it handles, and the one that ends it. (Who waits here sleeps again and again: that it wakes is a
// claim.)
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include "guest.h"

enum { THREADS = 3, SIGNALS = 100, ROUNDS = 15 };

static atomic_int handled;
static atomic_long changes;

static void on_signal(int number)
{
    (void)number;
    atomic_fetch_add(&handled, 1);
}

// SIGUSR1 is blocked by all others: each change is one of what the process as a whole blocks.
static void *change(void *argument)
{
    sigset_t set;
    (void)argument;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    for (;;) {
        CHECK_EQUAL(pthread_sigmask(SIG_UNBLOCK, &set, NULL), 0);
        CHECK_EQUAL(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
        atomic_fetch_add(&changes, 1);
    }
    return NULL;
}

static void wait_for_changes(long count)
{
    long before = atomic_load(&changes);
    while (atomic_load(&changes) < before + count)
        usleep(100);
}

static void storm(void)
{
    int status;
    atomic_store(&handled, 0);
    pid_t child = fork();
    if (child == 0) {
        for (int i = 0; i < THREADS; i++)
            guest_start(change, NULL);
        wait_for_changes(1000);
        for (int i = 0; i < SIGNALS; i++) {
            CHECK_EQUAL(kill(getppid(), SIGUSR2), 0); // and it sends one back
            while (atomic_load(&handled) <= i)
                usleep(100);
        }
        CHECK_EQUAL(kill(getppid(), SIGUSR2), 0);
        for (;;)
            pause();
    }
    for (int i = 0; i < SIGNALS; i++) {
        while (atomic_load(&handled) <= i)
            usleep(100);
        CHECK_EQUAL(kill(child, SIGUSR2), 0);
    }
    while (atomic_load(&handled) <= SIGNALS)
        usleep(100);
    CHECK_EQUAL(kill(child, SIGTERM), 0);
    CHECK_EQUAL(waitpid(child, &status, 0), child);
    CHECK(WIFSIGNALED(status));
    CHECK_EQUAL(WTERMSIG(status), SIGTERM);
}

int main(void)
{
    const struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigset_t set;
    CHECK_EQUAL(sigaction(SIGUSR2, &action, NULL), 0);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK_EQUAL(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
    for (int i = 0; i < ROUNDS; i++) // how the threads come to lie on CPUs differs
        storm();
    return guest_success();
}
