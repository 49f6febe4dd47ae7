// SPDX-License-Identifier: MIT
// Claims: a signal's default action acts on the whole process, whichever thread it is sent to: it ends, with
// or without a core, stops and continues; blocked it waits until the thread unblocks it; abort and a fault in
// a thread end it.
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include "guest.h"

static int way;
static pthread_barrier_t meeting;

static volatile int continued;

static void go_on(int number)
{
    (void)number;
    continued = 1;
}

static void *nothing(void *argument)
{
    return argument;
}

static void *sleep_on(void *argument)
{
    pthread_barrier_wait(&meeting);
    sleep(1000);
    return argument;
}

static void *act(void *other)
{
    sigset_t set;
    pthread_barrier_wait(&meeting);
    switch (way) {
    case 0:
        pthread_kill(*(pthread_t *)other, SIGTERM);
        break;
    case 1:
        raise(SIGUSR1);
        break;
    case 2:
        abort();
    case 3:
        __asm__ volatile("movb $1, 8");
        break;
    case 4:
        sigfillset(&set);
        pthread_sigmask(SIG_BLOCK, &set, NULL);
        raise(SIGINT);
        usleep(1000);
        CHECK_EQUAL(sigpending(&set), 0);
        CHECK_EQUAL(sigismember(&set, SIGINT), 1);
        sigfillset(&set);
        pthread_sigmask(SIG_UNBLOCK, &set, NULL);
        break;
    case 5:
        pthread_kill(*(pthread_t *)other, SIGKILL);
        break;
    case 6:
        kill(getpid(), SIGHUP);
        break;
    case 7:
        signal(SIGCONT, go_on);
        pthread_kill(*(pthread_t *)other, SIGCHLD); // ignored
        pthread_kill(*(pthread_t *)other, SIGSTOP);
        while (!continued)
            usleep(200);
        _exit(7);
    }
    usleep(900000);
    CHECK(!"it survived");
    return NULL;
}

int main(void)
{
    static const int expected[] = {SIGTERM, SIGUSR1, SIGABRT, SIGSEGV, SIGINT, SIGKILL, SIGHUP};
    struct rlimit none = {0, 0};
    int status;

    CHECK_EQUAL(setrlimit(RLIMIT_CORE, &none), 0);
    guest_join(guest_start(nothing, NULL));
    for (way = 0; way < 8; way++) {
        pid_t child = fork();
        if (child == 0) {
            pthread_t other;
            pthread_barrier_init(&meeting, NULL, 3);
            other = guest_start(sleep_on, NULL);
            pthread_t actor = guest_start(act, &other);
            pthread_barrier_wait(&meeting);
            guest_join(actor);
            _exit(1);
        }
        CHECK_EQUAL(waitpid(child, &status, WUNTRACED), child);
        if (way == 7) {
            CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
            CHECK_EQUAL(kill(child, SIGCONT), 0);
            CHECK_EQUAL(waitpid(child, &status, 0), child);
            CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
            continue;
        }
        CHECK(WIFSIGNALED(status));
        CHECK_EQUAL(WTERMSIG(status), expected[way]);
    }
    return guest_success();
}
