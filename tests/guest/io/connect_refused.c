// SPDX-License-Identifier: MIT
// connect without a listener: ECONNREFUSED on TCP and Unix sockets, ENOENT for a path that is not there;
// the socket can be connected afterwards. A blocked recv on a connected UDP socket reports ECONNREFUSED.
#include "io.h"

static void *client(void *unused)
{
    struct sockaddr_in address;
    struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "not-there"};
    char byte;
    int bound = inet_bound(SOCK_STREAM, &address), fd = socket(AF_INET, SOCK_STREAM, 0);
    for (int i = 0; i < 3; i++)
        CHECK_FAILS(connect(fd, (struct sockaddr *)&address, sizeof address), ECONNREFUSED);
    CHECK(listen(bound, 1) == 0);
    CHECK(connect(fd, (struct sockaddr *)&address, sizeof address) == 0);

    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_FAILS(connect(fd, (struct sockaddr *)&name, sizeof name), ENOENT);
    bound = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(bind(bound, (struct sockaddr *)&name, sizeof name) == 0);
    CHECK_FAILS(connect(fd, (struct sockaddr *)&name, sizeof name), ECONNREFUSED);
    CHECK(listen(bound, 1) == 0);
    CHECK(connect(fd, (struct sockaddr *)&name, sizeof name) == 0);
    CHECK(unlink(name.sun_path) == 0);

    CHECK(close(inet_bound(SOCK_DGRAM, &address)) == 0);
    fd = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK(connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
    CHECK(send(fd, "x", 1, 0) == 1);
    CHECK_FAILS(recv(fd, &byte, 1, 0), ECONNREFUSED);
    return unused;
}

int main(void)
{
    guest_join(guest_start(client, NULL));
    puts("tcp, unix, udp");
    return guest_success();
}
