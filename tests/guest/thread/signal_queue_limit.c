// SPDX-License-Identifier: MIT
// Claims: sigqueue and pthread_sigqueue fail with EAGAIN when RLIMIT_SIGPENDING is reached, lose nothing that
// they accepted, and work again when there is room; 3,000 signals of another process all arrive, in order.
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include "guest.h"

#define FLOOD 3000

static volatile int received, wrong;

static void handle(int number, siginfo_t *info, void *context)
{
    (void)number, (void)context;
    if (info->si_value.sival_int != received)
        wrong++;
    received++;
}

static void *body(void *argument)
{
    struct rlimit limit = {100, 100};
    sigset_t set;
    siginfo_t info;
    int sent = 0;

    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    CHECK_EQUAL(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
    CHECK_EQUAL(setrlimit(RLIMIT_SIGPENDING, &limit), 0);
    for (int round = 0; round < 2; round++) {
        int result;
        while ((result = pthread_sigqueue(pthread_self(), SIGRTMIN, (union sigval){.sival_int = sent})) == 0)
            sent++;
        CHECK_EQUAL(result, EAGAIN);
        CHECK(sent <= 100); // other processes of the user have their part
        for (int i = 0; i < sent; i++) {
            CHECK_EQUAL(sigwaitinfo(&set, &info), SIGRTMIN);
            CHECK_EQUAL(info.si_value.sival_int, i);
        }
        sent = 0;
    }
    return argument;
}

static void *yield(void *argument)
{
    sigset_t set;
    sigfillset(&set);
    CHECK_EQUAL(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
    while (received < FLOOD)
        sched_yield();
    return argument;
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_RESTART};
    pid_t parent = getpid();
    int status;

    CHECK_EQUAL(sigaction(SIGRTMIN + 1, &action, NULL), 0);
    pid_t child = fork();
    if (child == 0) {
        guest_join(guest_start(body, NULL));
        for (int i = 0; i < FLOOD; i++)
            while (sigqueue(parent, SIGRTMIN + 1, (union sigval){.sival_int = i}) != 0) {
                CHECK_EQUAL(errno, EAGAIN);
                usleep(50);
            }
        _exit(0);
    }
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN + 1);
    CHECK_EQUAL(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
    pthread_t thread = guest_start(yield, NULL);
    CHECK_EQUAL(pthread_sigmask(SIG_UNBLOCK, &set, NULL), 0);
    CHECK_EQUAL(waitpid(child, &status, 0), child);
    CHECK_EQUAL(status, 0);
    while (received < FLOOD)
        usleep(100);
    guest_join(thread);
    printf("received %d, wrong %d\n", received, wrong);
    CHECK_EQUAL(wrong, 0);
    return guest_success();
}
