// SPDX-License-Identifier: MIT
// SO_RCVTIMEO ends recv, read, readv, recvfrom and recvmsg with EAGAIN, not before its time, on TCP, UDP
// and Unix sockets; data that is there or comes in time is returned; a timeout of 0 means none.
#include "io.h"

static int in;

static void *reader(void *unused)
{
    char byte;
    struct iovec piece = {&byte, 1};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    int64_t start = now();
    CHECK_FAILS(recv(in, &byte, 1, 0), EAGAIN);
    CHECK(now() - start >= 10 * GUEST_MILLISECOND);
    CHECK_FAILS(read(in, &byte, 1), EAGAIN);
    CHECK(now() - start >= 20 * GUEST_MILLISECOND);
    CHECK_FAILS(readv(in, &piece, 1), EAGAIN);
    CHECK(now() - start >= 30 * GUEST_MILLISECOND);
    CHECK_FAILS(recvfrom(in, &byte, 1, 0, NULL, NULL), EAGAIN);
    CHECK(now() - start >= 40 * GUEST_MILLISECOND);
    CHECK_FAILS(recvmsg(in, &message, 0), EAGAIN);
    CHECK(now() - start >= 50 * GUEST_MILLISECOND);
    set_timeout(in, SO_RCVTIMEO, 10000);
    blocks_next();
    CHECK(read(in, &byte, 1) == 1);
    set_timeout(in, SO_RCVTIMEO, 0);
    blocks_next();
    CHECK(read(in, &byte, 1) == 1);
    return unused;
}

static void time_out(const char *kind, const int fds[2], int round)
{
    in = fds[0];
    set_timeout(in, SO_RCVTIMEO, 10);
    pthread_t thread = guest_start(reader, NULL);
    wait_blocked(round * 2 - 1);
    CHECK(write(fds[1], "x", 1) == 1);
    wait_blocked(round * 2);
    CHECK(write(fds[1], "x", 1) == 1);
    guest_join(thread);
    puts(kind);
}

int main(void)
{
    int fds[2];
    tcp_pair(fds);
    time_out("tcp", fds, 1);
    udp_pair(fds);
    time_out("udp", fds, 2);
    unix_pair(SOCK_STREAM, fds);
    time_out("unix stream", fds, 3);
    unix_pair(SOCK_DGRAM, fds);
    time_out("unix datagram", fds, 4);
    return guest_success();
}
