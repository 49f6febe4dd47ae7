// SPDX-License-Identifier: MIT
// A blocked epoll_wait sees what other threads do to its set: ADD of a descriptor that is ready, ADD of
// one that gets ready later, MOD to an event that is there; DEL silences.
#include "io.h"
#include <sys/epoll.h>

static int epoll, ready[2], later[2], modified[2], deleted[2];

static void *waiter(void *unused)
{
    for (int i = 0; i < 3; i++) {
        struct epoll_event event;
        blocks_next();
        CHECK(epoll_wait(epoll, &event, 1, -1) == 1);
        printf("%u: %#x\n", event.data.u32, event.events);
        CHECK(epoll_ctl(epoll, EPOLL_CTL_DEL,
                        i == 0   ? ready[0]
                        : i == 1 ? later[0]
                                 : modified[0],
                        NULL) == 0);
    }
    CHECK(epoll_wait(epoll, &(struct epoll_event){0}, 1, 0) == 0);
    return unused;
}

static void change(int operation, int fd, uint32_t events, uint32_t number)
{
    struct epoll_event event = {.events = events, .data.u32 = number};
    CHECK(epoll_ctl(epoll, operation, fd, &event) == 0);
}

int main(void)
{
    epoll = epoll_create1(0);
    unix_pair(SOCK_STREAM, ready);
    unix_pair(SOCK_STREAM, later);
    unix_pair(SOCK_STREAM, modified);
    unix_pair(SOCK_STREAM, deleted);
    CHECK(write(ready[1], "x", 1) == 1);
    CHECK(write(modified[1], "x", 1) == 1);
    change(EPOLL_CTL_ADD, modified[0], EPOLLPRI, 3);
    change(EPOLL_CTL_ADD, deleted[0], EPOLLIN, 4);
    pthread_t thread = guest_start(waiter, NULL);
    wait_blocked(1);
    change(EPOLL_CTL_DEL, deleted[0], 0, 4);
    CHECK(write(deleted[1], "x", 1) == 1);
    change(EPOLL_CTL_ADD, ready[0], EPOLLIN, 1);
    wait_blocked(2);
    change(EPOLL_CTL_ADD, later[0], EPOLLIN, 2);
    CHECK(write(later[1], "x", 1) == 1);
    wait_blocked(3);
    change(EPOLL_CTL_MOD, modified[0], EPOLLIN, 3);
    guest_join(thread);
    return guest_success();
}
