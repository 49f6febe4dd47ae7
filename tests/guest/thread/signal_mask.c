// SPDX-License-Identifier: MIT
// Claims: the signal mask belongs to the thread and is inherited at creation; a blocked signal stays pending
// for its thread alone and is delivered when that thread unblocks it; a handler's mask lasts as long as the
// handler.
#include <sched.h>
#include <signal.h>
#include "guest.h"

#define THREADS 8

static pthread_barrier_t meeting;
static __thread volatile int handled;

static void handle(int number)
{
    sigset_t now;
    handled++;
    CHECK_EQUAL(pthread_sigmask(SIG_SETMASK, NULL, &now), 0);
    CHECK(sigismember(&now, number) == 1 && sigismember(&now, SIGWINCH) == 1);
}

static void change(int how, int number)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    CHECK_EQUAL(pthread_sigmask(how, &set, NULL), 0);
}

static int blocked(int number)
{
    sigset_t now;
    CHECK_EQUAL(pthread_sigmask(SIG_SETMASK, NULL, &now), 0);
    return sigismember(&now, number);
}

static void *body(void *index)
{
    int odd = (intptr_t)index % 2;
    sigset_t pending;

    CHECK(blocked(SIGUSR2) && !blocked(SIGUSR1));
    if (odd)
        change(SIG_BLOCK, SIGUSR1);
    for (int i = 0; i < 10; i++) {
        pthread_barrier_wait(&meeting);
        CHECK_EQUAL(blocked(SIGUSR1), odd);
        sched_yield();
        CHECK_EQUAL(blocked(SIGUSR1), odd);
    }
    CHECK_EQUAL(pthread_kill(pthread_self(), SIGUSR1), 0);
    pthread_barrier_wait(&meeting);
    CHECK_EQUAL(sigpending(&pending), 0);
    CHECK_EQUAL(sigismember(&pending, SIGUSR1), odd);
    CHECK_EQUAL(handled, !odd);
    change(SIG_UNBLOCK, SIGUSR1);
    CHECK_EQUAL(handled, 1);
    CHECK(!blocked(SIGWINCH)); // the handler's mask is gone
    return (void *)(intptr_t)handled;
}

int main(void)
{
    struct sigaction action = {.sa_handler = handle};

    sigaddset(&action.sa_mask, SIGWINCH);
    CHECK_EQUAL(sigaction(SIGUSR1, &action, NULL), 0);
    change(SIG_BLOCK, SIGUSR2);
    CHECK_EQUAL(pthread_barrier_init(&meeting, NULL, THREADS), 0);
    printf("handled: %ld\n", (long)guest_threads(THREADS, body));
    return guest_success();
}
