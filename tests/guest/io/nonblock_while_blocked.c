// SPDX-License-Identifier: MIT
// O_NONBLOCK set while a thread is inside recv does not end that recv: it still waits for the rest. The
// next call gives EAGAIN.
#include "io.h"

static int fds[2];

static void *reader(void *unused)
{
    char text[2];
    CHECK(recv(fds[0], text, 2, MSG_WAITALL) == 2 && memcmp(text, "ab", 2) == 0);
    CHECK_FAILS(recv(fds[0], text, 2, MSG_WAITALL), EAGAIN);
    return unused;
}

static void set_while_blocked(const char *kind)
{
    pthread_t thread = guest_start(reader, NULL);
    CHECK(send(fds[1], "a", 1, 0) == 1);
    wait_unread(fds[0], 0);
    CHECK(fcntl(fds[0], F_SETFL, O_NONBLOCK) == 0);
    yield_some(200);
    CHECK(send(fds[1], "b", 1, 0) == 1);
    guest_join(thread);
    puts(kind);
}

int main(void)
{
    tcp_pair(fds);
    set_while_blocked("tcp");
    unix_pair(SOCK_STREAM, fds);
    set_while_blocked("unix stream");
    return guest_success();
}
