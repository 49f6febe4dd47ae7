// SPDX-License-Identifier: MIT
// Socket calls on a pipe are ENOTSOCK, positions on a pipe ESPIPE, accept on a socket that does not listen
// EINVAL, on UDP EOPNOTSUPP, recv on an unconnected stream ENOTCONN, send without a destination
// EDESTADDRREQ.
#include "io.h"
#include <sys/epoll.h>

static void *user(void *unused)
{
    int fds[2];
    char byte = 0;
    struct iovec piece = {&byte, 1};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    struct sockaddr_in address;
    struct epoll_event event = {.events = EPOLLIN};
    CHECK(pipe(fds) == 0);
    CHECK_FAILS(recv(fds[0], &byte, 1, 0), ENOTSOCK);
    CHECK_FAILS(recvmsg(fds[0], &message, 0), ENOTSOCK);
    CHECK_FAILS(send(fds[1], &byte, 1, 0), ENOTSOCK);
    CHECK_FAILS(sendmsg(fds[1], &message, 0), ENOTSOCK);
    CHECK_FAILS(accept(fds[0], NULL, NULL), ENOTSOCK);
    CHECK_FAILS(connect(fds[0], (struct sockaddr *)&address, sizeof address), ENOTSOCK);
    CHECK_FAILS(pread(fds[0], &byte, 1, 0), ESPIPE);
    CHECK_FAILS(pwrite(fds[1], &byte, 1, 0), ESPIPE);
    CHECK_FAILS(lseek(fds[0], 0, SEEK_SET), ESPIPE);
    CHECK_FAILS(epoll_wait(fds[0], &event, 1, 0), EINVAL);
    int file = open("file", O_RDWR | O_CREAT, 0600), epoll = epoll_create1(0);
    CHECK(file >= 0 && unlink("file") == 0);
    CHECK_FAILS(epoll_ctl(epoll, EPOLL_CTL_ADD, file, &event), EPERM);
    CHECK_FAILS(read(epoll, &byte, 1), EINVAL);
    int udp = inet_bound(SOCK_DGRAM, &address), tcp = socket(AF_INET, SOCK_STREAM, 0);
    int unix_socket = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_FAILS(accept(udp, NULL, NULL), EOPNOTSUPP);
    CHECK_FAILS(accept(tcp, NULL, NULL), EINVAL);
    CHECK_FAILS(accept(unix_socket, NULL, NULL), EINVAL);
    CHECK_FAILS(recv(tcp, &byte, 1, 0), ENOTCONN);
    CHECK_FAILS(recv(unix_socket, &byte, 1, 0), EINVAL);
    CHECK_FAILS(send(tcp, &byte, 1, MSG_NOSIGNAL), EPIPE);
    CHECK_FAILS(send(unix_socket, &byte, 1, MSG_NOSIGNAL), ENOTCONN);
    CHECK_FAILS(send(udp, &byte, 1, 0), EDESTADDRREQ);
    return unused;
}

int main(void)
{
    guest_join(guest_start(user, NULL));
    puts("each its error");
    return guest_success();
}
