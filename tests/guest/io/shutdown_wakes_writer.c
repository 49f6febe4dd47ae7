// SPDX-License-Identifier: MIT
// shutdown from another thread ends a write that is blocked on a full stream with the partial count, and
// the next one with EPIPE: SHUT_WR on the writer's own socket, SHUT_RD on a Unix peer. SIGPIPE is ignored.
#include "io.h"

static int fds[2];
static char data[16 << 20];

static void *writer(void *unused)
{
    ssize_t count = write(fds[1], data, sizeof data);
    CHECK(count > 0 && count < (ssize_t)sizeof data);
    CHECK_FAILS(write(fds[1], data, 1), EPIPE);
    return unused;
}

static void shut(const char *kind, int side, int how)
{
    char piece[10000];
    pthread_t thread = guest_start(writer, NULL);
    for (int i = 0; i < 10; i++) /* the writer is in its call, and far from done */
        read_whole(fds[0], piece, sizeof piece);
    yield_some(200);
    CHECK(shutdown(fds[side], how) == 0);
    guest_join(thread);
    puts(kind);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    tcp_pair(fds);
    shut("tcp, own", 1, SHUT_WR);
    unix_pair(SOCK_STREAM, fds);
    shut("unix, own", 1, SHUT_RDWR);
    unix_pair(SOCK_STREAM, fds);
    shut("unix, peer", 0, SHUT_RD);
    return guest_success();
}
