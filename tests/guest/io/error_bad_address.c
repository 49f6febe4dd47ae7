// SPDX-License-Identifier: MIT
// A bad pointer gives EFAULT, never a crash: at once where the call needs no data, after the data came
// where it does; pipe data survives a read to nowhere.
#include "io.h"
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/syscall.h>

static void *volatile nowhere = (void *)16;
static int fds[2];

static void *late_fault(void *unused)
{
    char byte;
    blocks_next();
    CHECK_FAILS(read(fds[0], nowhere, 1), EFAULT);
    CHECK(read(fds[0], &byte, 1) == 1 && byte == 'a');
    return unused;
}

static void *user(void *unused)
{
    struct iovec bad = {nowhere, 10}, *no_vector = nowhere;
    struct msghdr message = {.msg_iov = &bad, .msg_iovlen = 1};
    int pair[2], epoll = epoll_create1(0);
    struct sockaddr_in address;
    struct pollfd *no_set = nowhere;
    unix_pair(SOCK_STREAM, pair);
    CHECK_FAILS(write(pair[1], nowhere, 10), EFAULT);
    CHECK_FAILS(writev(pair[1], &bad, 1), EFAULT);
    CHECK_FAILS(writev(pair[1], no_vector, 1), EFAULT);
    CHECK_FAILS(readv(pair[0], no_vector, 1), EFAULT);
    CHECK_FAILS(send(pair[1], nowhere, 10, 0), EFAULT);
    CHECK_FAILS(sendmsg(pair[1], &message, 0), EFAULT);
    CHECK_FAILS(sendmsg(pair[1], nowhere, 0), EFAULT);
    CHECK_FAILS(recvmsg(pair[0], nowhere, 0), EFAULT);
    CHECK_FAILS(recvmmsg(pair[0], nowhere, 1, 0, NULL), EFAULT);
    CHECK_FAILS(sendmmsg(pair[0], nowhere, 1, 0), EFAULT);
    CHECK_FAILS(write(fds[1], nowhere, 10), EFAULT);
    CHECK_FAILS(poll(no_set, 1, -1), EFAULT);
    CHECK_FAILS(syscall(SYS_ppoll, NULL, 0, nowhere, NULL, 8), EFAULT);
    CHECK_FAILS(syscall(SYS_select, 5, nowhere, NULL, NULL, NULL), EFAULT);
    CHECK_FAILS(syscall(SYS_select, 0, NULL, NULL, NULL, nowhere), EFAULT);
    /* Two things wrong: the kernel looks at the time-out first. */
    struct timespec negative = {-1, 0}, none = {0, 0};
    CHECK_FAILS(pselect(5, nowhere, NULL, NULL, &negative, NULL), EINVAL);
    CHECK_FAILS(pselect(5, NULL, NULL, nowhere, &none, NULL), EFAULT);
    CHECK_FAILS(connect(socket(AF_INET, SOCK_STREAM, 0), nowhere, sizeof address), EFAULT);
    CHECK_FAILS(syscall(SYS_nanosleep, nowhere, NULL), EFAULT);
    CHECK_FAILS(syscall(SYS_wait4, -1, nowhere, 0, NULL), ECHILD);
    CHECK_FAILS(syscall(SYS_getsockopt, pair[0], SOL_SOCKET, SO_ERROR, nowhere, nowhere), EFAULT);

    struct epoll_event event = {.events = EPOLLIN};
    CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, pair[0], &event) == 0);
    CHECK_FAILS(epoll_ctl(epoll, EPOLL_CTL_ADD, pair[1], nowhere), EFAULT);
    CHECK(send(pair[1], "xyz", 3, 0) == 3);
    CHECK_FAILS(epoll_wait(epoll, nowhere, 1, -1), EFAULT);
    CHECK_FAILS(recv(pair[0], nowhere, 1, 0), EFAULT);
    CHECK_FAILS(recvmsg(pair[0], &message, MSG_WAITALL), EFAULT);

    int listener = tcp_listen(5, &address);
    tcp_connect(&address);
    CHECK_FAILS(accept(listener, nowhere, nowhere), EFAULT);
    return unused;
}

int main(void)
{
    CHECK(pipe(fds) == 0);
    pthread_t thread = guest_start(late_fault, NULL);
    wait_blocked(1);
    CHECK(write(fds[1], "a", 1) == 1);
    guest_join(thread);
    guest_join(guest_start(user, NULL));
    puts("EFAULT");
    return guest_success();
}
