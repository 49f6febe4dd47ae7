// SPDX-License-Identifier: MIT
// With O_NONBLOCK set by fcntl a read of an empty pipe, socket, eventfd, timerfd or terminal, and an
// accept, give EAGAIN at once, every time, from every thread.
#include "io.h"
#include <sys/eventfd.h>
#include <sys/timerfd.h>

static int fds[20];
static int count;

static void *prober(void *unused)
{
    char bytes[8];
    struct iovec piece = {bytes, sizeof bytes};
    for (int round = 0; round < 50; round++)
        for (int i = 0; i < count; i++) {
            CHECK_FAILS(read(fds[i], bytes, sizeof bytes), EAGAIN);
            CHECK_FAILS(readv(fds[i], &piece, 1), EAGAIN);
        }
    return unused;
}

int main(void)
{
    int pair[2], kinds[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
    char byte;
    struct sockaddr_in address;
    CHECK(pipe(pair) == 0);
    fds[count++] = pair[0];
    for (int i = 0; i < 3; i++) {
        unix_pair(kinds[i], pair);
        fds[count++] = pair[0];
    }
    tcp_pair(pair);
    fds[count++] = pair[0];
    udp_pair(pair);
    fds[count++] = pair[0];
    fds[count++] = eventfd(0, 0);
    fds[count++] = timerfd_create(CLOCK_MONOTONIC, 0);
    fds[count] = posix_openpt(O_RDWR | O_NOCTTY);
    CHECK(unlockpt(fds[count]) == 0);
    CHECK(open(ptsname(fds[count]), O_RDWR | O_NOCTTY) >= 0);
    count++;
    for (int i = 0; i < count; i++)
        CHECK(fcntl(fds[i], F_SETFL, fcntl(fds[i], F_GETFL) | O_NONBLOCK) == 0);
    guest_threads(4, prober);
    for (int i = 1; i <= 5; i++) {
        CHECK_FAILS(recv(fds[i], &byte, 1, 0), EAGAIN);
        CHECK_FAILS(recv(fds[i], &byte, 1, MSG_WAITALL), EAGAIN);
    }
    int listener = tcp_listen(5, &address);
    CHECK(fcntl(listener, F_SETFL, O_NONBLOCK) == 0);
    CHECK_FAILS(accept(listener, NULL, NULL), EAGAIN);
    CHECK_FAILS(accept4(listener, NULL, NULL, SOCK_CLOEXEC), EAGAIN);
    printf("%d descriptors\n", count);
    return guest_success();
}
