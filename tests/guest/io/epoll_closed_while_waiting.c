// SPDX-License-Identifier: MIT
// close of an epoll descriptor under a blocked epoll_wait does not end the wait: an event in its set still
// does. One that starts after the close is EBADF: then another attempt is made. A watched descriptor that
// is closed leaves the set in silence.
#include "io.h"
#include <sys/epoll.h>

static int epoll, fds[2], gone[2];

static void *waiter(void *unused)
{
    struct epoll_event event;
    (void)unused;
    blocks_next();
    int count = epoll_wait(epoll, &event, 1, -1);
    CHECK(count == 1 ? event.data.u32 == 1 : errno == EBADF);
    return (void *)(intptr_t)count;
}

int main(void)
{
    intptr_t count = -1;
    for (int attempt = 1; count < 0; attempt++) {
        CHECK(attempt <= 100);
        CHECK(pipe(fds) == 0 && pipe(gone) == 0);
        epoll = epoll_create1(0);
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = 1};
        CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, fds[0], &event) == 0);
        event.data.u32 = 2;
        CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, gone[0], &event) == 0);
        pthread_t thread = guest_start(waiter, NULL);
        wait_blocked(attempt);
        CHECK(close(gone[0]) == 0);
        CHECK(close(gone[1]) == 0);
        CHECK(close(epoll) == 0);
        yield_some(50);
        CHECK(write(fds[1], "x", 1) == 1);
        count = (intptr_t)guest_join(thread);
        close(fds[0]);
        close(fds[1]);
    }
    puts("the wait went on");
    return guest_success();
}
