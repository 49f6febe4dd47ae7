// SPDX-License-Identifier: MIT
// One blocked epoll_wait is woken by an eventfd, a timerfd, a pipe, a Unix, TCP and UDP socket, a listener
// and a writable pipe, in turn.
#include "io.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>

static int epoll;
static const char *const names[] = {"eventfd", "timerfd", "pipe", "unix", "tcp", "udp", "listener", "room"};

static void *waiter(void *unused)
{
    for (int i = 0; i < 8; i++) {
        struct epoll_event event;
        blocks_next();
        CHECK(epoll_wait(epoll, &event, 1, -1) == 1);
        CHECK(epoll_ctl(epoll, EPOLL_CTL_DEL, (int)(event.data.u64 >> 32), NULL) == 0);
        printf("%s %#x\n", names[event.data.u64 & 15], event.events);
    }
    CHECK(epoll_wait(epoll, &(struct epoll_event){0}, 1, 0) == 0);
    return unused;
}

static void add(int fd, int number, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.u64 = (uint64_t)fd << 32 | (uint64_t)number};
    CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0);
}

int main(void)
{
    static char data[1 << 20];
    int pipes[2], units[2], tcp[2], udp[2], full[2];
    struct sockaddr_in address;
    struct itimerspec soon = {{0, 0}, {0, 1}};
    uint64_t one = 1;
    epoll = epoll_create1(0);
    int event = eventfd(0, 0), timer = timerfd_create(CLOCK_MONOTONIC, 0), listener = tcp_listen(5, &address);
    CHECK(pipe(pipes) == 0 && pipe(full) == 0);
    unix_pair(SOCK_STREAM, units);
    tcp_pair(tcp);
    udp_pair(udp);
    size_t filled = fill_up(full[1]);
    int fds[] = {event, timer, pipes[0], units[0], tcp[0], udp[0], listener, full[1]};
    for (int i = 0; i < 8; i++)
        add(fds[i], i, i == 7 ? EPOLLOUT : EPOLLIN);
    pthread_t thread = guest_start(waiter, NULL);
    wait_blocked(1);
    CHECK(write(event, &one, sizeof one) == sizeof one);
    wait_blocked(2);
    CHECK(timerfd_settime(timer, 0, &soon, NULL) == 0);
    wait_blocked(3);
    CHECK(write(pipes[1], "x", 1) == 1);
    wait_blocked(4);
    CHECK(write(units[1], "x", 1) == 1);
    wait_blocked(5);
    CHECK(write(tcp[1], "x", 1) == 1);
    wait_blocked(6);
    CHECK(write(udp[1], "x", 1) == 1);
    wait_blocked(7);
    tcp_connect(&address);
    wait_blocked(8);
    read_whole(full[0], data, filled);
    guest_join(thread);
    return guest_success();
}
