// SPDX-License-Identifier: MIT
// Every I/O call on a closed or negative descriptor is EBADF, also on one open in the wrong direction.
#include "io.h"
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/sendfile.h>

static void refused(int fd)
{
    char bytes[8];
    struct iovec piece = {bytes, sizeof bytes};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    struct mmsghdr messages = {.msg_hdr = message};
    struct sockaddr_in address = {.sin_family = AF_INET};
    struct epoll_event event = {.events = EPOLLIN};
    CHECK_FAILS(read(fd, bytes, 8), EBADF);
    CHECK_FAILS(read(fd, bytes, 0), EBADF);
    CHECK_FAILS(readv(fd, &piece, 1), EBADF);
    CHECK_FAILS(pread(fd, bytes, 8, 0), EBADF);
    CHECK_FAILS(preadv(fd, &piece, 1, 0), EBADF);
    CHECK_FAILS(write(fd, bytes, 8), EBADF);
    CHECK_FAILS(writev(fd, &piece, 1), EBADF);
    CHECK_FAILS(pwrite(fd, bytes, 8, 0), EBADF);
    CHECK_FAILS(pwritev(fd, &piece, 1, 0), EBADF);
    CHECK_FAILS(recv(fd, bytes, 8, 0), EBADF);
    CHECK_FAILS(recvfrom(fd, bytes, 8, MSG_DONTWAIT, NULL, NULL), EBADF);
    CHECK_FAILS(recvmsg(fd, &message, 0), EBADF);
    CHECK_FAILS(recvmmsg(fd, &messages, 1, 0, NULL), EBADF);
    CHECK_FAILS(send(fd, bytes, 8, 0), EBADF);
    CHECK_FAILS(sendto(fd, bytes, 8, 0, (struct sockaddr *)&address, sizeof address), EBADF);
    CHECK_FAILS(sendmsg(fd, &message, 0), EBADF);
    CHECK_FAILS(sendmmsg(fd, &messages, 1, 0), EBADF);
    CHECK_FAILS(accept(fd, NULL, NULL), EBADF);
    CHECK_FAILS(accept4(fd, NULL, NULL, 0), EBADF);
    CHECK_FAILS(connect(fd, (struct sockaddr *)&address, sizeof address), EBADF);
    CHECK_FAILS(sendfile(fd, 0, NULL, 1), EBADF);
    CHECK_FAILS(splice(fd, NULL, fd, NULL, 1, 0), EBADF);
    CHECK_FAILS(tee(fd, fd, 1, 0), EBADF);
    CHECK_FAILS(epoll_wait(fd, &event, 1, -1), EBADF);
    CHECK_FAILS(epoll_ctl(fd, EPOLL_CTL_ADD, 0, &event), EBADF);
    CHECK_FAILS(fcntl(fd, F_GETFL), EBADF);
    CHECK_FAILS(close(fd), EBADF);
    CHECK_FAILS(dup(fd), EBADF);
    CHECK_FAILS(dup2(fd, 50), EBADF);
    CHECK_FAILS(shutdown(fd, SHUT_RD), EBADF);
    CHECK_FAILS(ioctl(fd, FIONREAD, bytes), EBADF);
}

static void *user(void *unused)
{
    int fds[2], closed[2];
    char byte = 0;
    CHECK(pipe(fds) == 0);
    unix_pair(SOCK_STREAM, closed);
    close(closed[0]);
    refused(closed[0]);
    refused(-1);
    refused(-100);
    refused(1 << 30);
    CHECK_FAILS(read(fds[1], &byte, 1), EBADF);
    CHECK_FAILS(write(fds[0], &byte, 1), EBADF);
    return unused;
}

int main(void)
{
    guest_join(guest_start(user, NULL));
    puts("EBADF");
    return guest_success();
}
