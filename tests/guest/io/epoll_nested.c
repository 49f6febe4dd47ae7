// SPDX-License-Identifier: MIT
// An epoll descriptor inside another one, inside poll and inside select: data on the innermost pipe wakes
// each.
#include "io.h"
#include <sys/epoll.h>
#include <sys/select.h>

static int fds[2], inner, outer;

static void *in_outer(void *unused)
{
    struct epoll_event event;
    blocks_next();
    CHECK(epoll_wait(outer, &event, 1, -1) == 1 && event.data.fd == inner);
    return unused;
}

static void *in_inner(void *unused)
{
    struct epoll_event event;
    blocks_next();
    CHECK(epoll_wait(inner, &event, 1, -1) == 1 && event.data.fd == fds[0]);
    return unused;
}

static void *in_poll(void *unused)
{
    struct pollfd waiting = {.fd = outer, .events = POLLIN};
    blocks_next();
    CHECK(poll(&waiting, 1, -1) == 1 && waiting.revents == POLLIN);
    return unused;
}

static void *in_select(void *unused)
{
    fd_set set;
    FD_ZERO(&set);
    FD_SET(inner, &set);
    blocks_next();
    CHECK(select(inner + 1, &set, NULL, NULL, NULL) == 1 && FD_ISSET(inner, &set));
    return unused;
}

int main(void)
{
    CHECK(pipe(fds) == 0);
    inner = epoll_create1(0);
    outer = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fds[0]};
    CHECK(epoll_ctl(inner, EPOLL_CTL_ADD, fds[0], &event) == 0);
    event.data.fd = inner;
    CHECK(epoll_ctl(outer, EPOLL_CTL_ADD, inner, &event) == 0);
    pthread_t thread[] = {guest_start(in_outer, NULL), guest_start(in_inner, NULL),
                          guest_start(in_poll, NULL), guest_start(in_select, NULL)};
    wait_blocked(4);
    CHECK(write(fds[1], "x", 1) == 1);
    for (int i = 0; i < 4; i++)
        guest_join(thread[i]);
    puts("outer, inner, poll, select");
    return guest_success();
}
