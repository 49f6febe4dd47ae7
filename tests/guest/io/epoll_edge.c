// SPDX-License-Identifier: MIT
// Four threads wait on one epoll descriptor for an edge-triggered eventfd: each of 500 writes gives
// exactly one of them one event, though nobody reads the eventfd.
#include "io.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>

enum { WAITERS = 4, WRITES = 500 };

static int epoll, event_fd, stop_fd, answer[2];
static atomic_int events_seen;

static void *waiter(void *unused)
{
    struct epoll_event event;
    blocks_next();
    for (;;) {
        CHECK(epoll_wait(epoll, &event, 1, -1) == 1);
        if (event.data.fd == stop_fd)
            return unused;
        atomic_fetch_add(&events_seen, 1);
        CHECK(write(answer[1], "x", 1) == 1);
    }
}

int main(void)
{
    pthread_t thread[WAITERS];
    uint64_t one = 1;
    char byte;
    CHECK(pipe(answer) == 0);
    epoll = epoll_create1(0);
    event_fd = eventfd(0, 0);
    stop_fd = eventfd(0, 0);
    struct epoll_event edge = {.events = EPOLLIN | EPOLLET, .data.fd = event_fd};
    struct epoll_event level = {.events = EPOLLIN, .data.fd = stop_fd};
    CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, event_fd, &edge) == 0);
    CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, stop_fd, &level) == 0);
    for (int i = 0; i < WAITERS; i++)
        thread[i] = guest_start(waiter, NULL);
    wait_blocked(WAITERS);
    for (int i = 0; i < WRITES; i++) {
        CHECK(write(event_fd, &one, sizeof one) == sizeof one);
        CHECK(read(answer[0], &byte, 1) == 1);
    }
    CHECK(write(stop_fd, &one, sizeof one) == sizeof one);
    for (int i = 0; i < WAITERS; i++)
        guest_join(thread[i]);
    printf("%d events\n", events_seen);
    return guest_success();
}
