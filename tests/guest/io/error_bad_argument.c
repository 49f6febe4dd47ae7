// SPDX-License-Identifier: MIT
// Counts, sizes and times that make no sense are EINVAL or what the kernel says, at once, in each call
// that blocks.
#include "io.h"
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/syscall.h>

static volatile int minus_one = -1;

static void *user(void *unused)
{
    char byte;
    struct iovec piece = {&byte, 1}, negative = {&byte, (size_t)-1}, many[1025];
    struct msghdr message = {.msg_iov = many, .msg_iovlen = 1025};
    struct timespec bad[] = {{0, -1}, {0, 1000000000}, {-1, 0}};
    struct timeval bad_value = {0, 1000000};
    struct epoll_event event;
    struct pollfd waiting = {.fd = -1};
    int fds[2], pair[2], epoll = epoll_create1(0);
    struct rlimit limit;
    CHECK(pipe(fds) == 0);
    unix_pair(SOCK_STREAM, pair);
    for (int i = 0; i < 1025; i++)
        many[i] = piece;
    CHECK_FAILS(readv(fds[0], &piece, minus_one), EINVAL);
    CHECK_FAILS(writev(fds[1], &piece, minus_one), EINVAL);
    CHECK_FAILS(readv(fds[0], many, 1025), EINVAL);
    CHECK_FAILS(writev(fds[1], many, 1025), EINVAL);
    CHECK_FAILS(readv(fds[0], &negative, 1), EINVAL);
    CHECK_FAILS(writev(fds[1], &negative, 1), EINVAL);
    CHECK_FAILS(recvmsg(pair[0], &message, 0), EMSGSIZE);
    CHECK_FAILS(sendmsg(pair[0], &message, 0), EMSGSIZE);
    CHECK_FAILS(pread(fds[0], &byte, 1, minus_one), EINVAL);
    CHECK_FAILS(epoll_wait(epoll, &event, 0, -1), EINVAL);
    CHECK_FAILS(epoll_wait(epoll, &event, minus_one, -1), EINVAL);
    CHECK_FAILS(syscall(SYS_select, -1, NULL, NULL, NULL, NULL), EINVAL);
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    CHECK_FAILS(poll(&waiting, limit.rlim_cur + 1, 0), EINVAL);
    CHECK_FAILS(accept4(pair[0], NULL, NULL, 0x40), EINVAL);
    CHECK_FAILS(splice(fds[0], NULL, pair[0], NULL, 1, 0x100), EINVAL);
    CHECK_FAILS(splice(pair[0], NULL, pair[1], NULL, 1, 0), EINVAL);
    CHECK_FAILS(waitid(P_ALL, 0, NULL, 0), EINVAL);
    CHECK_FAILS(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &bad_value, sizeof bad_value), EDOM);
    for (int i = 0; i < 3; i++) {
        CHECK_FAILS(ppoll(&waiting, 1, &bad[i], NULL), EINVAL);
        CHECK_FAILS(pselect(0, NULL, NULL, NULL, &bad[i], NULL), EINVAL);
        CHECK_FAILS(nanosleep(&bad[i], NULL), EINVAL);
        CHECK_FAILS(syscall(441 /* epoll_pwait2 */, epoll, &event, 1, &bad[i], NULL, 8), EINVAL);
        CHECK_FAILS(recvmmsg(pair[0], &(struct mmsghdr){.msg_hdr = {.msg_iov = &piece, .msg_iovlen = 1}}, 1,
                             0, &bad[i]),
                    EINVAL);
    }
    return unused;
}

int main(void)
{
    guest_join(guest_start(user, NULL));
    puts("EINVAL");
    return guest_success();
}
