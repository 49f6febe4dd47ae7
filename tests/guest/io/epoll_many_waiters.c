// SPDX-License-Identifier: MIT
// Twenty threads in epoll_wait, each on an epoll set of its own with the same listener and EPOLLEXCLUSIVE:
// 100 connections are all accepted, each once.
#include "io.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>

enum { WAITERS = 20, CONNECTIONS = 100 };

static int listener, stop_fd;
static atomic_int accepted;

static void *waiter(void *unused)
{
    int epoll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE, .data.fd = listener};
    CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) == 0);
    event = (struct epoll_event){.events = EPOLLIN, .data.fd = stop_fd};
    CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, stop_fd, &event) == 0);
    blocks_next();
    for (;;) {
        CHECK(epoll_wait(epoll, &event, 1, -1) == 1);
        if (event.data.fd == stop_fd)
            break;
        int fd = accept(listener, NULL, NULL);
        CHECK(fd >= 0 || errno == EAGAIN);
        if (fd >= 0) {
            atomic_fetch_add(&accepted, 1);
            CHECK(write(fd, "x", 1) == 1);
            close(fd);
        }
    }
    close(epoll);
    return unused;
}

int main(void)
{
    pthread_t thread[WAITERS];
    struct sockaddr_in address;
    uint64_t one = 1;
    listener = tcp_listen(CONNECTIONS, &address);
    CHECK(fcntl(listener, F_SETFL, O_NONBLOCK) == 0);
    stop_fd = eventfd(0, 0);
    for (int i = 0; i < WAITERS; i++)
        thread[i] = guest_start(waiter, NULL);
    wait_blocked(WAITERS);
    for (int i = 0; i < CONNECTIONS; i++) {
        char byte;
        int fd = tcp_connect(&address);
        CHECK(read(fd, &byte, 1) == 1 && read(fd, &byte, 1) == 0);
        close(fd);
    }
    CHECK(write(stop_fd, &one, sizeof one) == sizeof one);
    for (int i = 0; i < WAITERS; i++)
        guest_join(thread[i]);
    printf("%d accepted\n", accepted);
    return guest_success();
}
