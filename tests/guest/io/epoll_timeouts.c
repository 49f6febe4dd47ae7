// SPDX-License-Identifier: MIT
// epoll_wait, epoll_pwait and epoll_pwait2 with nothing ready return 0, not before their time;
// epoll_pwait2 takes nanoseconds; 0 returns at once.
#include "io.h"
#include <sys/epoll.h>
#include <sys/syscall.h>

static int wait2(int epoll, struct epoll_event *events, int count, const struct timespec *timeout)
{
    return (int)syscall(441 /* epoll_pwait2, which old libcs lack */, epoll, events, count, timeout, NULL, 8);
}

static void *waiter(void *argument)
{
    struct timespec timeout = {0, 15000001}, zero = {0, 0}, bad = {0, -1};
    struct epoll_event event = {.events = EPOLLIN};
    int fds[2], epoll = epoll_create1(0);
    CHECK(pipe(fds) == 0);
    CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, fds[0], &event) == 0);
    int64_t start = now();
    CHECK(epoll_wait(epoll, &event, 1, 20) == 0);
    CHECK(now() - start >= 20 * GUEST_MILLISECOND);
    start = now();
    CHECK(epoll_pwait(epoll, &event, 1, 20, NULL) == 0);
    CHECK(now() - start >= 20 * GUEST_MILLISECOND);
    start = now();
    CHECK(wait2(epoll, &event, 1, &timeout) == 0);
    CHECK(now() - start >= 15000001);
    CHECK(epoll_wait(epoll, &event, 1, 0) == 0);
    CHECK(wait2(epoll, &event, 1, &zero) == 0);
    CHECK_FAILS(wait2(epoll, &event, 1, &bad), EINVAL);
    CHECK(write(fds[1], "x", 1) == 1);
    CHECK(epoll_wait(epoll, &event, 1, 20) == 1);
    CHECK(epoll_pwait(epoll, &event, 1, -1, NULL) == 1);
    CHECK(wait2(epoll, &event, 1, NULL) == 1);
    close(epoll);
    return argument;
}

int main(void)
{
    printf("%ld\n", (long)guest_threads(5, waiter));
    return guest_success();
}
