// SPDX-License-Identifier: MIT
// Claims: a blocking write, or send, that has begun is written whole into what its descriptor was then,
// whenever another thread gives the number to something else; nothing of it goes there.
#include "io.h"

enum { ROUNDS = 2000, LENGTH = 40000, ROOM = 4096 };

static unsigned char data[LENGTH];

static void *writer(void *fd)
{
    CHECK_EQUAL(write(*(int *)fd, data, LENGTH), LENGTH);
    return NULL;
}

static void *sender(void *fd)
{
    CHECK_EQUAL(send(*(int *)fd, data, LENGTH, 0), LENGTH);
    return NULL;
}

static void *message_sender(void *fd)
{
    struct iovec parts[] = {{data, LENGTH / 2}, {data + LENGTH / 2, LENGTH / 2}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    CHECK_EQUAL(sendmsg(*(int *)fd, &message, 0), LENGTH);
    return NULL;
}

static const struct {
    void *(*function)(void *fd);
    int to_socket;
} kinds[] = {{writer, 0}, {sender, 1}, {message_sender, 1}};

int main(void)
{
    static unsigned char got[LENGTH];
    pattern_fill(data, LENGTH, 0);
    for (int round = 0; round < ROUNDS; round++) {
        int kind = round % 3, sends = kinds[kind].to_socket;
        int old[2], other[2];
        CHECK_EQUAL(sends ? socketpair(AF_UNIX, SOCK_STREAM, 0, old) : pipe(old), 0);
        if (sends)
            CHECK_EQUAL(setsockopt(old[1], SOL_SOCKET, SO_SNDBUF, &(int){ROOM}, sizeof(int)), 0);
        else
            CHECK(fcntl(old[1], F_SETPIPE_SZ, ROOM) >= ROOM);
        CHECK_EQUAL(pipe(other), 0);
        pthread_t thread = guest_start(kinds[kind].function, &old[1]);
        while (unread(old[0]) == 0)
            ; // and not sched_yield: the other one is to be in the middle of it
        CHECK_EQUAL(dup2(other[1], old[1]), old[1]);
        CHECK_EQUAL(close(other[1]), 0);
        read_whole(old[0], got, LENGTH);
        pattern_check(got, LENGTH, 0);
        CHECK_EQUAL(read(old[0], got, 1), 0);
        guest_join(thread);
        CHECK_EQUAL(unread(other[0]), 0);
        CHECK_EQUAL(close(old[1]), 0);
        CHECK_EQUAL(read(other[0], got, 1), 0);
        CHECK_EQUAL(close(old[0]), 0);
        CHECK_EQUAL(close(other[0]), 0);
    }
    return guest_success();
}
