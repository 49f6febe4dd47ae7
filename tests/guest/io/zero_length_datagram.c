// SPDX-License-Identifier: MIT
// A datagram of no bytes is a datagram: write sends it, a blocked recv returns 0 for it, the next one is
// not lost; and a read of no bytes leaves it in the queue.
#include "io.h"

static int in;

static void *reader(void *unused)
{
    char byte[2];
    blocks_next();
    CHECK(recv(in, byte, sizeof byte, 0) == 0);
    blocks_next();
    CHECK(read(in, byte, sizeof byte) == 1 && byte[0] == 'z');
    return unused;
}

static void send_nothing(const char *kind, const int fds[2], int round)
{
    char byte[2];
    in = fds[0];
    pthread_t thread = guest_start(reader, NULL);
    wait_blocked(round * 2 - 1);
    CHECK(write(fds[1], "", 0) == 0);
    wait_blocked(round * 2);
    CHECK(send(fds[1], "z", 1, 0) == 1);
    guest_join(thread);
    CHECK(send(fds[1], "", 0, 0) == 0);
    CHECK(send(fds[1], "a", 1, 0) == 1);
    CHECK(read(in, byte, 0) == 0);
    CHECK(recv(in, byte, sizeof byte, 0) == 0);
    CHECK(recv(in, byte, sizeof byte, 0) == 1 && byte[0] == 'a');
    printf("%s\n", kind);
}

int main(void)
{
    int fds[2];
    udp_pair(fds);
    send_nothing("udp", fds, 1);
    unix_pair(SOCK_DGRAM, fds);
    send_nothing("unix datagram", fds, 2);
    unix_pair(SOCK_SEQPACKET, fds);
    send_nothing("unix seqpacket", fds, 3);
    return guest_success();
}
