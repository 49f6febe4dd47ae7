// SPDX-License-Identifier: MIT
// recv with MSG_TRUNC on a blocked datagram socket returns the datagram's whole length though the buffer
// is shorter; the rest is gone. On TCP MSG_TRUNC throws the bytes away.
#include "io.h"

static int in;

static void *reader(void *unused)
{
    char text[4];
    blocks_next();
    CHECK(recv(in, text, sizeof text, MSG_TRUNC) == 26 && memcmp(text, "abcd", 4) == 0);
    CHECK(recv(in, text, sizeof text, MSG_PEEK | MSG_TRUNC) == 3);
    CHECK(recv(in, text, sizeof text, 0) == 3 && memcmp(text, "xyz", 3) == 0);
    return unused;
}

static void *tcp_reader(void *unused)
{
    char text[4] = "same";
    blocks_next();
    CHECK(recv(in, text, sizeof text, MSG_TRUNC) == 4 && memcmp(text, "same", 4) == 0);
    CHECK(recv(in, text, sizeof text, 0) == 2 && memcmp(text, "ef", 2) == 0);
    return unused;
}

int main(void)
{
    int fds[2];
    udp_pair(fds);
    for (int round = 1; round <= 3; round++) {
        in = fds[0];
        pthread_t thread = guest_start(reader, NULL);
        wait_blocked(round);
        CHECK(send(fds[1], "abcdefghijklmnopqrstuvwxyz", 26, 0) == 26);
        CHECK(send(fds[1], "xyz", 3, 0) == 3);
        guest_join(thread);
        unix_pair(round == 1 ? SOCK_DGRAM : SOCK_SEQPACKET, fds);
    }
    tcp_pair(fds);
    in = fds[0];
    pthread_t thread = guest_start(tcp_reader, NULL);
    wait_blocked(4);
    CHECK(send(fds[1], "abcdef", 6, 0) == 6);
    guest_join(thread);
    puts("udp, unix datagram, unix seqpacket, tcp");
    return guest_success();
}
