// SPDX-License-Identifier: MIT
// F_GETFL never shows an O_NONBLOCK that the program did not set: not from another thread, through the
// descriptor or a dup, while threads are blocked in read, write, accept and connect on the description.
#include "io.h"

static int listener, backlogged, empty[2], full[2];
static struct sockaddr_in address;
static struct sockaddr_un unix_address;
static socklen_t unix_length;
static int connecting;

static void *in_read(void *unused)
{
    char byte;
    blocks_next();
    CHECK(read(empty[0], &byte, 1) == 1);
    return unused;
}

static void *in_write(void *unused)
{
    blocks_next();
    CHECK(write(full[1], "x", 1) == 1);
    return unused;
}

static void *in_accept(void *unused)
{
    blocks_next();
    CHECK(accept(listener, NULL, NULL) >= 0);
    return unused;
}

static void *in_connect(void *unused)
{
    blocks_next();
    CHECK(connect(connecting, (struct sockaddr *)&unix_address, unix_length) == 0);
    return unused;
}

int main(void)
{
    static char data[1 << 20];
    pthread_t thread[4];
    listener = tcp_listen(5, &address);
    backlogged = unix_listen(SOCK_STREAM, 0, &unix_address, &unix_length);
    int first = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(connect(first, (struct sockaddr *)&unix_address, unix_length) == 0);
    connecting = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(pipe(empty) == 0 && pipe(full) == 0);
    size_t filled = fill_up(full[1]);
    thread[0] = guest_start(in_read, NULL);
    thread[1] = guest_start(in_write, NULL);
    thread[2] = guest_start(in_accept, NULL);
    thread[3] = guest_start(in_connect, NULL);
    wait_blocked(4);
    int fds[] = {empty[0], full[1], listener, connecting}, expected[] = {O_RDONLY, O_WRONLY, O_RDWR, O_RDWR};
    for (int round = 0; round < 100; round++) {
        for (int i = 0; i < 4; i++) {
            int copy = dup(fds[i]);
            CHECK(fcntl(fds[i], F_GETFL) == expected[i]);
            CHECK(fcntl(copy, F_GETFL) == expected[i]);
            close(copy);
        }
        yield_some(3);
    }
    CHECK(write(empty[1], "x", 1) == 1);
    CHECK(filled < sizeof data);
    read_whole(full[0], data, filled);
    tcp_connect(&address);
    CHECK(accept(backlogged, NULL, NULL) >= 0);
    for (int i = 0; i < 4; i++)
        guest_join(thread[i]);
    puts("read, write, accept, connect");
    return guest_success();
}
