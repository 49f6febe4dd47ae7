// SPDX-License-Identifier: MIT
// MSG_WAITALL gathers a whole buffer from many small sends, by recv and recvmsg; at the end of the stream
// it returns the part that came. Without the flag a part is enough.
#include "io.h"

enum { LENGTH = 100000 };

static int fds[2];

static void *reader(void *unused)
{
    static unsigned char data[LENGTH + 1000];
    struct iovec pieces[] = {{data, 10}, {data + 10, LENGTH - 10}};
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = 2};
    CHECK(recv(fds[0], data, LENGTH, MSG_WAITALL) == LENGTH);
    pattern_check(data, LENGTH, 0);
    CHECK(recvmsg(fds[0], &message, MSG_WAITALL) == LENGTH);
    pattern_check(data, LENGTH, LENGTH);
    blocks_next();
    CHECK(recv(fds[0], data, LENGTH, 0) == 10);
    blocks_next();
    CHECK(recv(fds[0], data, LENGTH, MSG_WAITALL) == 777);
    pattern_check(data, 777, 0);
    CHECK(recv(fds[0], data, LENGTH, MSG_WAITALL) == 0);
    return unused;
}

static void gather(const char *kind, int round)
{
    unsigned char piece[500];
    pthread_t thread = guest_start(reader, NULL);
    for (int at = 0; at < 2 * LENGTH; at += (int)sizeof piece) {
        pattern_fill(piece, sizeof piece, at);
        CHECK(send(fds[1], piece, sizeof piece, 0) == sizeof piece);
        if (at % 5000 == 0)
            yield_some(5);
    }
    wait_blocked(round * 2 - 1);
    CHECK(send(fds[1], piece, 10, 0) == 10);
    wait_blocked(round * 2);
    pattern_fill(piece, sizeof piece, 0);
    CHECK(send(fds[1], piece, sizeof piece, 0) == sizeof piece);
    wait_unread(fds[0], 0);
    pattern_fill(piece, 277, sizeof piece);
    CHECK(send(fds[1], piece, 277, 0) == 277);
    CHECK(close(fds[1]) == 0);
    guest_join(thread);
    puts(kind);
}

int main(void)
{
    tcp_pair(fds);
    gather("tcp", 1);
    unix_pair(SOCK_STREAM, fds);
    gather("unix stream", 2);
    return guest_success();
}
