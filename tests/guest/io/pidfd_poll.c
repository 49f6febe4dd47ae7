// SPDX-License-Identifier: MIT
// poll and epoll on a pidfd wait for a child's end in one thread while another goes on; waitid(P_PIDFD)
// reaps it.
#include "io.h"
#include <sys/epoll.h>
#include <sys/syscall.h>

static int pidfd;

static void *poller(void *unused)
{
    struct pollfd waiting = {.fd = pidfd, .events = POLLIN};
    blocks_next();
    CHECK(poll(&waiting, 1, -1) == 1 && waiting.revents == POLLIN);
    return unused;
}

static void *epoller(void *unused)
{
    struct epoll_event event = {.events = EPOLLIN};
    int epoll = epoll_create1(0);
    CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, pidfd, &event) == 0);
    blocks_next();
    CHECK(epoll_wait(epoll, &event, 1, -1) == 1);
    return unused;
}

int main(void)
{
    int fds[2];
    siginfo_t info;
    char byte;
    become_threaded();
    CHECK(pipe(fds) == 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0)
        _exit(read(fds[0], &byte, 1) == 1 ? 7 : 1);
    pidfd = (int)syscall(434 /* pidfd_open, which old libcs lack */, child, 0);
    CHECK(pidfd >= 0);
    pthread_t a = guest_start(poller, NULL), b = guest_start(epoller, NULL);
    wait_blocked(2);
    CHECK(write(fds[1], "x", 1) == 1);
    guest_join(a);
    guest_join(b);
    CHECK(waitid((idtype_t)3 /* P_PIDFD */, (id_t)pidfd, &info, WEXITED) == 0);
    CHECK(info.si_pid == child);
    printf("exit status %d\n", info.si_status);
    return guest_success();
}
