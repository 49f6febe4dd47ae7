// SPDX-License-Identifier: MIT
// close of a descriptor that a thread polls: the wait goes on with the old description, and when something
// happens there poll looks the number up again and says POLLNVAL; as does a poll that starts after the
// close.
#include "io.h"

static int fds[2];

static void *poller(void *unused)
{
    struct pollfd waiting = {.fd = fds[0], .events = POLLIN};
    blocks_next();
    CHECK(poll(&waiting, 1, -1) == 1);
    CHECK(waiting.revents == POLLNVAL);
    return unused;
}

static void close_under(const char *kind, int round)
{
    pthread_t thread = guest_start(poller, NULL);
    wait_blocked(round);
    CHECK(close(fds[0]) == 0);
    yield_some(50);
    CHECK(write(fds[1], "x", 1) == 1 || errno == EPIPE || errno == ECONNRESET);
    guest_join(thread);
    close(fds[1]);
    puts(kind);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    CHECK(pipe(fds) == 0);
    close_under("pipe", 1);
    tcp_pair(fds);
    close_under("tcp", 2);
    unix_pair(SOCK_STREAM, fds);
    close_under("unix stream", 3);
    return guest_success();
}
