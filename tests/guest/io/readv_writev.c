// SPDX-License-Identifier: MIT
// readv scatters and writev gathers, empty pieces included, on a pipe, a TCP connection, and stream,
// datagram and sequenced-packet sockets, while the reader is blocked.
#include "io.h"

static int in;

static void *reader(void *unused)
{
    char a[3], b[4], c[100];
    struct iovec pieces[] = {{a, sizeof a}, {NULL, 0}, {b, sizeof b}, {c, sizeof c}};
    blocks_next();
    ssize_t count = readv(in, pieces, 4);
    CHECK(count == 12);
    printf("%.3s|%.4s|%.5s\n", a, b, c);
    return unused;
}

static void round_trip(const char *kind, int from, int to, int round)
{
    struct iovec pieces[] = {{"ab", 2}, {"", 0}, {"cdefg", 5}, {"hi", 2}, {"jkl", 3}};
    in = from;
    printf("%s ", kind);
    pthread_t thread = guest_start(reader, NULL);
    wait_blocked(round);
    CHECK(writev(to, pieces, 5) == 12);
    guest_join(thread);
    close(from);
    close(to);
}

int main(void)
{
    int fds[2];
    CHECK(pipe(fds) == 0);
    round_trip("pipe", fds[0], fds[1], 1);
    tcp_pair(fds);
    round_trip("tcp", fds[0], fds[1], 2);
    udp_pair(fds);
    round_trip("udp", fds[0], fds[1], 3);
    unix_pair(SOCK_STREAM, fds);
    round_trip("stream", fds[0], fds[1], 4);
    unix_pair(SOCK_DGRAM, fds);
    round_trip("datagram", fds[0], fds[1], 5);
    unix_pair(SOCK_SEQPACKET, fds);
    round_trip("seqpacket", fds[0], fds[1], 6);
    return guest_success();
}
