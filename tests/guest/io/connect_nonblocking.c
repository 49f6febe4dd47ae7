// SPDX-License-Identifier: MIT
// connect on a non-blocking socket: EINPROGRESS at once on TCP, then poll and SO_ERROR tell the result,
// good or bad; EAGAIN on a Unix socket with a full backlog.
#include "io.h"

static int finish(const struct sockaddr_in *address)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), error = -1;
    socklen_t length = sizeof error;
    struct pollfd waiting = {.fd = fd, .events = POLLOUT};
    CHECK_FAILS(connect(fd, (const struct sockaddr *)address, sizeof *address), EINPROGRESS);
    CHECK(poll(&waiting, 1, -1) == 1);
    CHECK(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0);
    printf("revents %#x, error %d\n", waiting.revents, error);
    CHECK(fcntl(fd, F_GETFL) == (O_RDWR | O_NONBLOCK));
    return fd;
}

static void *client(void *unused)
{
    struct sockaddr_in address, closed;
    struct sockaddr_un unix_address;
    socklen_t length;
    char text[5];
    int listener = tcp_listen(5, &address);
    int fd = finish(&address), peer = accept(listener, NULL, NULL);
    CHECK_FAILS(read(fd, text, sizeof text), EAGAIN);
    CHECK(write(peer, "hello", 5) == 5);
    CHECK(poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, -1) == 1);
    CHECK(read(fd, text, sizeof text) == 5);

    inet_bound(SOCK_STREAM, &closed);
    finish(&closed);

    unix_listen(SOCK_STREAM, 0, &unix_address, &length);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    CHECK(connect(fd, (struct sockaddr *)&unix_address, length) == 0);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    CHECK_FAILS(connect(fd, (struct sockaddr *)&unix_address, length), EAGAIN);
    return unused;
}

int main(void)
{
    guest_join(guest_start(client, NULL));
    return guest_success();
}
