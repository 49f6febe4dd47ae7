// SPDX-License-Identifier: MIT
// poll for POLLIN and POLLPRI, and select with a set of exceptions: urgent data wakes the waiter and is told
// apart from other data, before and after a plain read of the same descriptor.
#include "io.h"

enum { THREADS = 40 };

static void expect_poll(int fd, short events)
{
    struct pollfd waiting = {.fd = fd, .events = POLLIN | POLLPRI};
    blocks_next();
    CHECK(poll(&waiting, 1, -1) == 1 && waiting.revents == events);
}

static void expect_byte(int fd, int flags, char wanted)
{
    char byte;
    CHECK(recv(fd, &byte, 1, flags) == 1 && byte == wanted);
}

static void *waiter(void *argument)
{
    int fd = *(int *)argument;
    fd_set readable, exceptions;
    blocks_next();
    expect_byte(fd, 0, 'a');
    expect_poll(fd, POLLPRI);
    expect_byte(fd, MSG_OOB, 'b');
    expect_poll(fd, POLLIN);
    expect_byte(fd, 0, 'c');
    FD_ZERO(&readable);
    FD_ZERO(&exceptions);
    FD_SET(fd, &readable);
    FD_SET(fd, &exceptions);
    blocks_next();
    CHECK(select(fd + 1, &readable, NULL, &exceptions, NULL) == 1);
    CHECK(!FD_ISSET(fd, &readable) && FD_ISSET(fd, &exceptions));
    expect_byte(fd, MSG_OOB, 'd');
    return NULL;
}

int main(void)
{
    int pairs[THREADS][2];
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        tcp_pair(pairs[i]);
        threads[i] = guest_start(waiter, &pairs[i][0]);
    }
    for (int step = 0; step < 4; step++) {
        wait_blocked(THREADS * (step + 1));
        for (int i = 0; i < THREADS; i++)
            CHECK(send(pairs[i][1], &"abcd"[step], 1, step % 2 ? MSG_OOB : 0) == 1);
    }
    for (int i = 0; i < THREADS; i++)
        guest_join(threads[i]);
    return guest_success();
}
