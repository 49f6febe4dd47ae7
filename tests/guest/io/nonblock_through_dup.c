// SPDX-License-Identifier: MIT
// O_NONBLOCK belongs to the description: set through a dup of the descriptor it makes the original
// non-blocking, and clearing it through the dup makes the original block again.
#include "io.h"

static int fds[2], copy;

static void *reader(void *unused)
{
    char byte;
    for (int i = 0; i < 3; i++) {
        CHECK(fcntl(copy, F_SETFL, O_NONBLOCK) == 0);
        CHECK_FAILS(read(fds[0], &byte, 1), EAGAIN);
        CHECK(fcntl(copy, F_SETFL, 0) == 0);
        blocks_next();
        CHECK(read(fds[0], &byte, 1) == 1);
    }
    return unused;
}

static void through_dup(const char *kind, int round)
{
    copy = dup(fds[0]);
    pthread_t thread = guest_start(reader, NULL);
    for (int i = 1; i <= 3; i++) {
        wait_blocked(round * 3 + i);
        CHECK(write(fds[1], "x", 1) == 1);
    }
    guest_join(thread);
    puts(kind);
}

int main(void)
{
    CHECK(pipe(fds) == 0);
    through_dup("pipe", 0);
    tcp_pair(fds);
    through_dup("tcp", 1);
    unix_pair(SOCK_STREAM, fds);
    through_dup("unix stream", 2);
    return guest_success();
}
