// SPDX-License-Identifier: MIT
// Claims: each handler begins with the default rounding mode, also one that runs as soon as another has
// returned, which left another mode; and the computation that both interrupted goes on with its own.
#include <fenv.h>
#include <signal.h>
#include "guest.h"

enum { ROUNDS = 50 };

static volatile int first, second, ready;

static void on_first(int number)
{
    (void)number;
    CHECK_EQUAL(fegetround(), FE_TONEAREST);
    fesetround(FE_UPWARD);
    CHECK_EQUAL(pthread_kill(pthread_self(), SIGUSR2), 0); // blocked until this returns
    first++;
}

static void on_second(int number)
{
    (void)number;
    CHECK_EQUAL(fegetround(), FE_TONEAREST);
    fesetround(FE_DOWNWARD);
    second++;
}

static void *compute(void *argument)
{
    fesetround(FE_TOWARDZERO);
    for (int round = 1; round <= ROUNDS; round++) {
        ready = round;
        while (second < round)
            ;
        CHECK_EQUAL(fegetround(), FE_TOWARDZERO);
    }
    return argument;
}

int main(void)
{
    struct sigaction action = {.sa_handler = on_first};
    sigemptyset(&action.sa_mask);
    sigaddset(&action.sa_mask, SIGUSR2);
    CHECK_EQUAL(sigaction(SIGUSR1, &action, NULL), 0);
    action.sa_handler = on_second;
    CHECK_EQUAL(sigaction(SIGUSR2, &action, NULL), 0);
    pthread_t thread = guest_start(compute, NULL);
    for (int round = 1; round <= ROUNDS; round++) {
        while (ready < round)
            sched_yield();
        CHECK_EQUAL(pthread_kill(thread, SIGUSR1), 0);
        while (second < round)
            sched_yield();
    }
    guest_join(thread);
    CHECK_EQUAL(first, ROUNDS);
    return guest_success();
}
