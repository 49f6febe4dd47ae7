// SPDX-License-Identifier: MIT
// MSG_DONTWAIT never waits on a blocking socket: EAGAIN from an empty one by recv, recvfrom and recvmsg, a
// partial count and then EAGAIN from a full one by send; afterwards the socket still blocks.
#include "io.h"

static int fds[2];
static char data[16 << 20];

static void *reader(void *unused)
{
    char byte;
    blocks_next();
    CHECK(recv(fds[0], &byte, 1, 0) == 1 && byte == 'b');
    return unused;
}

static void dont_wait(const char *kind, int stream, int round)
{
    char byte;
    struct iovec piece = {&byte, 1};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    CHECK_FAILS(recv(fds[0], &byte, 1, MSG_DONTWAIT), EAGAIN);
    CHECK_FAILS(recv(fds[0], &byte, 1, MSG_DONTWAIT | MSG_WAITALL), EAGAIN);
    CHECK_FAILS(recvfrom(fds[0], &byte, 1, MSG_DONTWAIT, NULL, NULL), EAGAIN);
    CHECK_FAILS(recvmsg(fds[0], &message, MSG_DONTWAIT), EAGAIN);
    pthread_t thread = guest_start(reader, NULL);
    wait_blocked(round);
    CHECK(send(fds[1], "b", 1, 0) == 1);
    guest_join(thread);
    if (stream) {
        ssize_t count = send(fds[1], data, sizeof data, MSG_DONTWAIT);
        CHECK(count > 0 && count < (ssize_t)sizeof data);
        while (send(fds[1], data, sizeof data, MSG_DONTWAIT) > 0)
            ; /* TCP buffers may have grown */
        CHECK(errno == EAGAIN);
    } else {
        while (send(fds[1], data, 1000, MSG_DONTWAIT) == 1000)
            ;
        CHECK(errno == EAGAIN);
    }
    puts(kind);
}

int main(void)
{
    become_threaded();
    tcp_pair(fds);
    dont_wait("tcp", 1, 1);
    unix_pair(SOCK_STREAM, fds);
    dont_wait("unix stream", 1, 2);
    unix_pair(SOCK_DGRAM, fds);
    dont_wait("unix datagram", 0, 3);
    unix_pair(SOCK_SEQPACKET, fds);
    dont_wait("unix seqpacket", 0, 4);
    return guest_success();
}
