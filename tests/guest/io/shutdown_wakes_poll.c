// SPDX-License-Identifier: MIT
// shutdown from another thread wakes poll, select and epoll_wait: the own SHUT_RDWR, the peer's SHUT_WR.
#include "io.h"
#include <sys/epoll.h>
#include <sys/select.h>

static int fds[2];

static void *in_poll(void *unused)
{
    struct pollfd waiting = {.fd = fds[0], .events = POLLIN | POLLRDHUP};
    blocks_next();
    CHECK(poll(&waiting, 1, -1) == 1);
    return (void *)(intptr_t)((void)unused, waiting.revents);
}

static void *in_select(void *unused)
{
    fd_set set;
    FD_ZERO(&set);
    FD_SET(fds[0], &set);
    blocks_next();
    CHECK(select(fds[0] + 1, &set, NULL, NULL, NULL) == 1);
    return unused;
}

static void *in_epoll(void *unused)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP};
    int epoll = epoll_create1(0);
    CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, fds[0], &event) == 0);
    blocks_next();
    CHECK(epoll_wait(epoll, &event, 1, -1) == 1);
    return (void *)(intptr_t)((void)unused, event.events);
}

static void shut(const char *kind, int side, int how, int round)
{
    pthread_t a = guest_start(in_poll, NULL), b = guest_start(in_select, NULL),
              c = guest_start(in_epoll, NULL);
    wait_blocked(round * 3);
    CHECK(shutdown(fds[side], how) == 0);
    long polled = (long)(intptr_t)guest_join(a), epolled = (long)(intptr_t)guest_join(c);
    guest_join(b);
    printf("%s: poll %#lx, epoll %#lx\n", kind, polled, epolled);
}

int main(void)
{
    tcp_pair(fds);
    shut("tcp, peer's SHUT_WR", 1, SHUT_WR, 1);
    tcp_pair(fds);
    shut("tcp, own SHUT_RDWR", 0, SHUT_RDWR, 2);
    unix_pair(SOCK_STREAM, fds);
    shut("unix, peer's SHUT_WR", 1, SHUT_WR, 3);
    unix_pair(SOCK_STREAM, fds);
    shut("unix, own SHUT_RDWR", 0, SHUT_RDWR, 4);
    return guest_success();
}
