// SPDX-License-Identifier: MIT
// A level-triggered epoll_wait waits for data, reports a descriptor again until it is drained, wakes every
// time for new data, returns at most maxevents and the rest next time.
#include "io.h"
#include <sys/epoll.h>

enum { COUNT = 8 };

static int in[COUNT], out[COUNT], epoll;

static void *waiter(void *unused)
{
    struct epoll_event events[COUNT];
    char byte;
    blocks_next();
    CHECK(epoll_wait(epoll, events, COUNT, -1) == 1 && events[0].data.u64 == 3 &&
          events[0].events == EPOLLIN);
    for (int i = 0; i < 3; i++) {
        CHECK(epoll_wait(epoll, events, COUNT, -1) == 1 && events[0].data.u64 == 3);
        CHECK(read(in[3], &byte, 1) == 1);
    }
    CHECK(epoll_wait(epoll, events, COUNT, 0) == 0);
    blocks_next();
    CHECK(epoll_wait(epoll, events, COUNT, 10000) == 1 && events[0].data.u64 == 5);
    CHECK(read(in[5], &byte, 1) == 1);
    return unused;
}

int main(void)
{
    int seen[COUNT] = {0};
    epoll = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < COUNT; i++) {
        int fds[2];
        if (i % 2)
            CHECK(pipe(fds) == 0);
        else
            unix_pair(SOCK_STREAM, fds);
        in[i] = fds[0];
        out[i] = fds[1];
        struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uint64_t)i};
        CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, in[i], &event) == 0);
    }
    pthread_t thread = guest_start(waiter, NULL);
    wait_blocked(1);
    CHECK(write(out[3], "abc", 3) == 3);
    wait_blocked(2);
    CHECK(write(out[5], "d", 1) == 1);
    guest_join(thread);

    for (int i = 0; i < COUNT; i++)
        CHECK(write(out[i], "x", 1) == 1);
    for (int i = 0; i < COUNT / 2; i++) {
        struct epoll_event two[2];
        CHECK(epoll_wait(epoll, two, 2, -1) == 2);
        seen[two[0].data.u64]++;
        seen[two[1].data.u64]++;
    }
    for (int i = 0; i < COUNT; i++)
        CHECK(seen[i] == 1); /* the kernel rotates its ready list */
    printf("%d descriptors\n", COUNT);
    return guest_success();
}
