// SPDX-License-Identifier: MIT
// SO_RCVTIMEO on a listener ends accept with EAGAIN, not before its time, on TCP and Unix sockets; a
// connection that is there is accepted, and the accepted socket has no timeout.
#include "io.h"

static int listener;

static void *acceptor(void *unused)
{
    int64_t start = now();
    CHECK_FAILS(accept(listener, NULL, NULL), EAGAIN);
    CHECK(now() - start >= 20 * GUEST_MILLISECOND);
    CHECK_FAILS(accept4(listener, NULL, NULL, SOCK_CLOEXEC), EAGAIN);
    CHECK(now() - start >= 40 * GUEST_MILLISECOND);
    set_timeout(listener, SO_RCVTIMEO, 10000);
    blocks_next();
    int fd = accept(listener, NULL, NULL);
    CHECK(fd >= 0);
    struct timeval timeout;
    socklen_t length = sizeof timeout;
    CHECK(getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, &length) == 0);
    printf("accepted, timeout %ld\n", (long)timeout.tv_sec);
    close(fd);
    return unused;
}

int main(void)
{
    struct sockaddr_in address;
    struct sockaddr_un unix_address;
    socklen_t length;
    listener = tcp_listen(1, &address);
    set_timeout(listener, SO_RCVTIMEO, 20);
    pthread_t thread = guest_start(acceptor, NULL);
    wait_blocked(1);
    tcp_connect(&address);
    guest_join(thread);

    listener = unix_listen(SOCK_STREAM, 1, &unix_address, &length);
    set_timeout(listener, SO_RCVTIMEO, 20);
    thread = guest_start(acceptor, NULL);
    wait_blocked(2);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(connect(fd, (struct sockaddr *)&unix_address, length) == 0);
    guest_join(thread);
    return guest_success();
}
