// SPDX-License-Identifier: MIT
// A TCP reset while a thread is blocked in recv gives ECONNRESET once, then the end; a write is EPIPE.
#include "io.h"

static int fds[2];

static void *reader(void *unused)
{
    char byte;
    blocks_next();
    CHECK_FAILS(recv(fds[0], &byte, 1, 0), ECONNRESET);
    CHECK(recv(fds[0], &byte, 1, 0) == 0);
    CHECK_FAILS(send(fds[0], &byte, 1, MSG_NOSIGNAL), EPIPE);
    puts("ECONNRESET, end, EPIPE");
    return unused;
}

int main(void)
{
    struct linger reset = {1, 0};
    tcp_pair(fds);
    pthread_t thread = guest_start(reader, NULL);
    wait_blocked(1);
    CHECK(setsockopt(fds[1], SOL_SOCKET, SO_LINGER, &reset, sizeof reset) == 0);
    CHECK(close(fds[1]) == 0);
    guest_join(thread);
    return guest_success();
}
