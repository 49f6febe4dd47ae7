// SPDX-License-Identifier: MIT
// A blocked poll that asks for no events at all is woken by a hang-up; one that asks for POLLRDHUP by the
// peer's shutdown; one on a pipe's write end by the reader's close.
#include "io.h"

static int fd;
static short asked;

static void *poller(void *unused)
{
    struct pollfd waiting = {.fd = fd, .events = asked};
    (void)unused;
    blocks_next();
    CHECK(poll(&waiting, 1, -1) == 1);
    return (void *)(intptr_t)waiting.revents;
}

int main(void)
{
    int fds[2];
    CHECK(pipe(fds) == 0);
    fd = fds[0];
    asked = 0;
    pthread_t thread = guest_start(poller, NULL);
    wait_blocked(1);
    close(fds[1]);
    printf("writer closed: %#lx\n", (long)(intptr_t)guest_join(thread));

    tcp_pair(fds);
    fd = fds[0];
    asked = POLLRDHUP;
    thread = guest_start(poller, NULL);
    wait_blocked(2);
    shutdown(fds[1], SHUT_WR);
    printf("peer shut down: %#lx\n", (long)(intptr_t)guest_join(thread));

    CHECK(pipe(fds) == 0);
    size_t filled = fill_up(fds[1]);
    CHECK(filled > 0);
    fd = fds[1];
    asked = 0;
    thread = guest_start(poller, NULL);
    wait_blocked(3);
    close(fds[0]);
    printf("reader closed: %#lx\n", (long)(intptr_t)guest_join(thread));

    unix_pair(SOCK_STREAM, fds);
    fd = fds[0];
    asked = 0;
    thread = guest_start(poller, NULL);
    wait_blocked(4);
    close(fds[1]);
    printf("peer closed: %#lx\n", (long)(intptr_t)guest_join(thread));
    return guest_success();
}
