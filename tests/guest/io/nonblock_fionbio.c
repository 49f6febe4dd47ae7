// SPDX-License-Identifier: MIT
// ioctl FIONBIO sets and clears non-blocking mode like fcntl, and F_GETFL shows it.
#include "io.h"

static int fds[2];

static void *reader(void *unused)
{
    char byte;
    int on = 1, off = 0;
    CHECK(ioctl(fds[0], FIONBIO, &on) == 0);
    CHECK(fcntl(fds[0], F_GETFL) & O_NONBLOCK);
    CHECK_FAILS(read(fds[0], &byte, 1), EAGAIN);
    CHECK(ioctl(fds[0], FIONBIO, &off) == 0);
    CHECK(!(fcntl(fds[0], F_GETFL) & O_NONBLOCK));
    blocks_next();
    CHECK(read(fds[0], &byte, 1) == 1);
    CHECK(ioctl(fds[0], FIONBIO, &on) == 0);
    CHECK_FAILS(read(fds[0], &byte, 1), EAGAIN);
    return unused;
}

static void toggle(const char *kind, int round)
{
    pthread_t thread = guest_start(reader, NULL);
    wait_blocked(round);
    CHECK(write(fds[1], "x", 1) == 1);
    guest_join(thread);
    puts(kind);
}

int main(void)
{
    CHECK(pipe(fds) == 0);
    toggle("pipe", 1);
    tcp_pair(fds);
    toggle("tcp", 2);
    unix_pair(SOCK_STREAM, fds);
    toggle("unix stream", 3);
    udp_pair(fds);
    toggle("udp", 4);
    return guest_success();
}
