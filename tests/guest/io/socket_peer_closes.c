// SPDX-License-Identifier: MIT
// A writer blocked on a Unix or TCP stream whose peer closes returns a partial count, and EPIPE or
// ECONNRESET at last. MSG_NOSIGNAL keeps SIGPIPE away, without it SIGPIPE is ignored here.
#include "io.h"

static int fds[2];
static char data[16 << 20];

static void *writer(void *unused)
{
    ssize_t count = write(fds[1], data, sizeof data);
    CHECK(count > 0 && count < (ssize_t)sizeof data);
    CHECK(send(fds[1], data, 1, MSG_NOSIGNAL) == -1 && (errno == EPIPE || errno == ECONNRESET));
    CHECK_FAILS(write(fds[1], data, 1), EPIPE);
    CHECK_FAILS(send(fds[1], data, 1, 0), EPIPE);
    return unused;
}

static void close_peer(void)
{
    char piece[10000];
    pthread_t thread = guest_start(writer, NULL);
    for (int i = 0; i < 50; i++)
        CHECK(read(fds[0], piece, sizeof piece) > 0);
    CHECK(close(fds[0]) == 0);
    guest_join(thread);
    close(fds[1]);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    unix_pair(SOCK_STREAM, fds);
    close_peer();
    puts("unix stream: partial count, then EPIPE");
    tcp_pair(fds);
    close_peer();
    puts("tcp: partial count, then EPIPE");
    return guest_success();
}
