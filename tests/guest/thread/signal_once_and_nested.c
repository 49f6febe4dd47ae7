// SPDX-License-Identifier: MIT
// Claims: SA_RESETHAND gives a signal its default action back before the handler runs, for all threads;
// SA_NODEFER lets a handler be interrupted by its own signal, without it the signal waits for the handler's
// end.
#include <signal.h>
#include <sys/wait.h>
#include "guest.h"

static __thread volatile int depth, deepest, calls;

static void nest(int number)
{
    depth++;
    calls++;
    if (depth > deepest)
        deepest = depth;
    if (calls < 4)
        CHECK_EQUAL(raise(number), 0);
    depth--;
}

static void *body(void *argument)
{
    struct sigaction action = {.sa_handler = nest, .sa_flags = SA_NODEFER}, now;

    CHECK_EQUAL(sigaction(SIGUSR1, &action, NULL), 0);
    CHECK_EQUAL(raise(SIGUSR1), 0);
    CHECK(deepest == 4 && calls == 4 && depth == 0);
    action.sa_flags = 0;
    deepest = calls = 0;
    CHECK_EQUAL(sigaction(SIGUSR1, &action, NULL), 0);
    CHECK_EQUAL(raise(SIGUSR1), 0);
    CHECK(deepest == 1 && calls == 4 && depth == 0);

    action.sa_flags = (int)SA_RESETHAND | SA_NODEFER;
    calls = 4;
    CHECK_EQUAL(sigaction(SIGUSR2, &action, NULL), 0);
    CHECK_EQUAL(sigaction(SIGUSR2, NULL, &now), 0);
    CHECK(now.sa_handler == nest && now.sa_flags & (int)SA_RESETHAND);
    CHECK_EQUAL(raise(SIGUSR2), 0);
    CHECK_EQUAL(calls, 5);
    CHECK_EQUAL(sigaction(SIGUSR2, NULL, &now), 0);
    CHECK(now.sa_handler == SIG_DFL);
    return argument;
}

static void *die(void *argument)
{
    body(argument);
    raise(SIGUSR2);
    CHECK(!"it survived");
    return NULL;
}

int main(void)
{
    int status;

    guest_join(guest_start(body, NULL));
    pid_t child = fork();
    if (child == 0) {
        guest_join(guest_start(die, NULL));
        _exit(1);
    }
    CHECK_EQUAL(waitpid(child, &status, 0), child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR2);
    return guest_success();
}
