// SPDX-License-Identifier: MIT
// After a blocking connect both ends agree on their names; a second connect is EISCONN.
#include "io.h"

static struct sockaddr_in address;

static void *client(void *argument)
{
    int *accepted = argument;
    struct sockaddr_in own, peer, seen;
    socklen_t length = sizeof own;
    int fd = tcp_connect(&address);
    CHECK(getsockname(fd, (struct sockaddr *)&own, &length) == 0);
    length = sizeof peer;
    CHECK(getpeername(fd, (struct sockaddr *)&peer, &length) == 0);
    CHECK(peer.sin_port == address.sin_port && peer.sin_addr.s_addr == htonl(INADDR_LOOPBACK));
    CHECK_FAILS(connect(fd, (struct sockaddr *)&address, sizeof address), EISCONN);
    length = sizeof seen;
    *accepted = accept(*accepted, (struct sockaddr *)&seen, &length);
    CHECK(*accepted >= 0 && length == sizeof seen);
    CHECK(memcmp(&seen, &own, sizeof own) == 0);
    CHECK(getpeername(*accepted, (struct sockaddr *)&seen, &length) == 0);
    CHECK(memcmp(&seen, &own, sizeof own) == 0);
    CHECK(fcntl(fd, F_GETFL) == O_RDWR);
    return NULL;
}

int main(void)
{
    int fd = tcp_listen(5, &address);
    guest_join(guest_start(client, &fd));
    puts("names agree");
    return guest_success();
}
