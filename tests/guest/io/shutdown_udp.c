// SPDX-License-Identifier: MIT
// shutdown wakes a thread blocked in recv on a UDP socket with 0, connected or not, though on the
// unconnected one shutdown itself says ENOTCONN.
#include "io.h"

static int fd;

static void *reader(void *unused)
{
    char byte;
    blocks_next();
    CHECK(recv(fd, &byte, 1, 0) == 0);
    return unused;
}

int main(void)
{
    int fds[2];
    struct sockaddr_in address;
    udp_pair(fds);
    fd = fds[0];
    pthread_t thread = guest_start(reader, NULL);
    wait_blocked(1);
    CHECK(shutdown(fd, SHUT_RD) == 0);
    guest_join(thread);
    fd = inet_bound(SOCK_DGRAM, &address);
    thread = guest_start(reader, NULL);
    wait_blocked(2);
    CHECK_FAILS(shutdown(fd, SHUT_RDWR), ENOTCONN);
    guest_join(thread);
    puts("connected, unconnected");
    return guest_success();
}
