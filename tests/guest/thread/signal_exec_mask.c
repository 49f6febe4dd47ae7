// SPDX-License-Identifier: MIT
// Claims: a program that a thread executes has the signal mask of that thread, ignored signals stay ignored,
// handlers become the default; a forked child has the mask too, nothing pending, and its handlers work.
#include <signal.h>
#include <sys/wait.h>
#include "guest.h"

static volatile int handled;

static void handle(int number)
{
    (void)number;
    handled++;
}

static void check_after_exec(void)
{
    struct sigaction action;
    sigset_t now;
    CHECK_EQUAL(pthread_sigmask(SIG_SETMASK, NULL, &now), 0);
    CHECK(sigismember(&now, SIGUSR2) && sigismember(&now, SIGRTMIN + 3));
    CHECK(!sigismember(&now, SIGUSR1) && !sigismember(&now, SIGHUP));
    CHECK_EQUAL(sigaction(SIGTERM, NULL, &action), 0);
    CHECK(action.sa_handler == SIG_IGN);
    CHECK_EQUAL(sigaction(SIGUSR1, NULL, &action), 0);
    CHECK(action.sa_handler == SIG_DFL);
}

static void *body(void *program)
{
    sigset_t set, pending;
    int status;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sigaddset(&set, SIGRTMIN + 3);
    CHECK_EQUAL(pthread_sigmask(SIG_SETMASK, &set, NULL), 0);
    CHECK_EQUAL(raise(SIGUSR2), 0);
    pid_t child = fork();
    if (child == 0) {
        CHECK_EQUAL(sigpending(&pending), 0);
        CHECK_EQUAL(sigismember(&pending, SIGUSR2), 0);
        CHECK_EQUAL(raise(SIGUSR1), 0);
        CHECK_EQUAL(handled, 1);
        CHECK_EQUAL(kill(getpid(), SIGUSR1), 0);
        CHECK_EQUAL(handled, 2);
        execl((char *)program, (char *)program, "again", NULL);
        _exit(3);
    }
    CHECK_EQUAL(waitpid(child, &status, 0), child);
    CHECK_EQUAL(status, 0);
    return NULL;
}

int main(int count, char **arguments)
{
    struct sigaction action = {.sa_handler = handle};

    if (count > 1) {
        check_after_exec();
        return 0;
    }
    CHECK_EQUAL(sigaction(SIGUSR1, &action, NULL), 0);
    action.sa_handler = SIG_IGN;
    CHECK_EQUAL(sigaction(SIGTERM, &action, NULL), 0);
    for (int i = 0; i < 3; i++)
        guest_join(guest_start(body, arguments[0]));
    CHECK_EQUAL(handled, 0);
    return guest_success();
}
