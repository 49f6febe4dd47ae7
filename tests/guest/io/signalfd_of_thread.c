// SPDX-License-Identifier: MIT
// Claims: a signalfd tells a thread of signals that were sent to it alone, by itself or by another thread: a
// blocked read gets them, with who sent them and with what value, so do poll and epoll, and what was pending
// when the descriptor was made.
#include "io.h"
#include <sys/epoll.h>
#include <sys/signalfd.h>

static int first; // made before there are threads
static atomic_int raised;

static void show(int descriptor)
{
    struct signalfd_siginfo info;
    CHECK_EQUAL(read(descriptor, &info, sizeof info), sizeof info);
    CHECK_EQUAL(info.ssi_pid, getpid());
    printf("signal %u, code %d, value %d\n", info.ssi_signo, info.ssi_code, info.ssi_int);
}

static void *reader(void *unused)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGRTMIN);
    CHECK_EQUAL(raise(SIGUSR1), 0);
    show(first);
    CHECK_EQUAL(raise(SIGRTMIN), 0);
    int second = signalfd(-1, &set, SFD_CLOEXEC);
    show(second);
    raised = 1;

    blocks_next();
    show(first);
    blocks_next();
    show(second);

    struct pollfd waiting = {.fd = second, .events = POLLIN};
    CHECK_EQUAL(poll(&waiting, 1, 0), 0);
    blocks_next();
    CHECK_EQUAL(poll(&waiting, 1, -1), 1);
    show(second);

    int epoll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN};
    CHECK_EQUAL(epoll_ctl(epoll, EPOLL_CTL_ADD, second, &event), 0);
    blocks_next();
    CHECK_EQUAL(epoll_wait(epoll, &event, 1, -1), 1);
    show(second);
    CHECK_EQUAL(poll(&waiting, 1, 0), 0);
    return unused;
}

int main(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGRTMIN);
    CHECK_EQUAL(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
    sigdelset(&set, SIGRTMIN);
    first = signalfd(-1, &set, 0);
    CHECK(first >= 0);
    pthread_t thread = guest_start(reader, NULL);
    while (!raised) // main has its kernel thread, the process's first, to itself meanwhile
        continue;
    wait_blocked(1);
    CHECK_EQUAL(pthread_kill(thread, SIGUSR1), 0);
    wait_blocked(2);
    CHECK_EQUAL(pthread_sigqueue(thread, SIGRTMIN, (union sigval){.sival_int = 42}), 0);
    wait_blocked(3);
    CHECK_EQUAL(pthread_sigqueue(thread, SIGRTMIN, (union sigval){.sival_int = 43}), 0);
    wait_blocked(4);
    CHECK_EQUAL(pthread_kill(thread, SIGUSR1), 0);
    guest_join(thread);
    return guest_success();
}
