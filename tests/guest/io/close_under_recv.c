// SPDX-License-Identifier: MIT
// close of a descriptor while a thread is inside recv on it: the recv keeps the old description and
// completes with the data that comes later; only then does the peer see the end. The number itself is free
// at once.
#include "io.h"

static int fds[2];

static void *reader(void *unused)
{
    char text[2];
    CHECK(recv(fds[0], text, 2, MSG_WAITALL) == 2 && memcmp(text, "ab", 2) == 0);
    CHECK_FAILS(recv(fds[0], text, 2, 0), EBADF);
    return unused;
}

static void close_under(const char *kind)
{
    char byte;
    pthread_t thread = guest_start(reader, NULL);
    CHECK(send(fds[1], "a", 1, 0) == 1);
    wait_unread(fds[0], 0); /* the reader has taken it and waits for more */
    CHECK(close(fds[0]) == 0);
    CHECK_FAILS(fcntl(fds[0], F_GETFL), EBADF);
    yield_some(200);
    CHECK_FAILS(recv(fds[1], &byte, 1, MSG_DONTWAIT), EAGAIN);
    CHECK(send(fds[1], "b", 1, 0) == 1);
    guest_join(thread);
    CHECK(recv(fds[1], &byte, 1, 0) == 0);
    close(fds[1]);
    puts(kind);
}

int main(void)
{
    tcp_pair(fds);
    close_under("tcp");
    unix_pair(SOCK_STREAM, fds);
    close_under("unix stream");
    return guest_success();
}
