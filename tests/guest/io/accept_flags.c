// SPDX-License-Identifier: MIT
// accept4 gives the new descriptor the flags that it names and no others; accept inherits none from the
// listener.
#include "io.h"

static int listener;

static void *acceptor(void *unused)
{
    static const int flags[] = {0, SOCK_NONBLOCK, SOCK_CLOEXEC, SOCK_NONBLOCK | SOCK_CLOEXEC};
    for (int i = 0; i < 4; i++) {
        char byte;
        blocks_next();
        int fd = accept4(listener, NULL, NULL, flags[i]);
        CHECK(fd >= 0);
        printf("flags %#x: mode %#x, close-on-exec %d\n", flags[i], fcntl(fd, F_GETFL), fcntl(fd, F_GETFD));
        if (flags[i] & SOCK_NONBLOCK)
            CHECK_FAILS(read(fd, &byte, 1), EAGAIN);
        close(fd);
    }
    CHECK_FAILS(accept4(listener, NULL, NULL, 1), EINVAL);
    CHECK(fcntl(listener, F_SETFL, O_NONBLOCK) == 0);
    blocks_next();
    struct pollfd waiting = {.fd = listener, .events = POLLIN};
    CHECK(poll(&waiting, 1, -1) == 1);
    int fd = accept(listener, NULL, NULL);
    CHECK(fd >= 0);
    printf("non-blocking listener: mode %#x\n", fcntl(fd, F_GETFL));
    return unused;
}

int main(void)
{
    struct sockaddr_in address;
    listener = tcp_listen(5, &address);
    pthread_t thread = guest_start(acceptor, NULL);
    for (int i = 1; i <= 5; i++) {
        wait_blocked(i);
        tcp_connect(&address);
    }
    guest_join(thread);
    return guest_success();
}
