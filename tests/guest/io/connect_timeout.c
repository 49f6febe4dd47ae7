// SPDX-License-Identifier: MIT
// SO_SNDTIMEO ends a connect to a listener whose backlog is full, not before its time: EAGAIN on a Unix
// socket, EINPROGRESS on TCP.
#include "io.h"

static void *unix_client(void *unused)
{
    struct sockaddr_un address;
    socklen_t length;
    unix_listen(SOCK_STREAM, 0, &address, &length);
    int first = socket(AF_UNIX, SOCK_STREAM, 0), second = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(connect(first, (struct sockaddr *)&address, length) == 0);
    set_timeout(second, SO_SNDTIMEO, 50);
    int64_t start = now();
    CHECK_FAILS(connect(second, (struct sockaddr *)&address, length), EAGAIN);
    CHECK(now() - start >= 50 * GUEST_MILLISECOND);
    puts("unix: EAGAIN");
    return unused;
}

static void *tcp_client(void *unused)
{
    struct sockaddr_in address;
    int listener = tcp_listen(0, &address);
    tcp_connect(&address);
    CHECK(poll(&(struct pollfd){.fd = listener, .events = POLLIN}, 1, -1) == 1); /* the backlog is full */
    int second = socket(AF_INET, SOCK_STREAM, 0);
    set_timeout(second, SO_SNDTIMEO, 50);
    int64_t start = now();
    CHECK_FAILS(connect(second, (struct sockaddr *)&address, sizeof address), EINPROGRESS);
    CHECK(now() - start >= 50 * GUEST_MILLISECOND);
    puts("tcp: EINPROGRESS");
    return unused;
}

int main(void)
{
    guest_join(guest_start(unix_client, NULL));
    guest_join(guest_start(tcp_client, NULL));
    return guest_success();
}
