// SPDX-License-Identifier: MIT
// MSG_WAITALL with SO_RCVTIMEO returns the bytes that came in time, not before its time; with none EAGAIN.
#include "io.h"

static int fds[2];

static void *reader(void *unused)
{
    char text[100];
    int64_t start = now();
    CHECK(recv(fds[0], text, sizeof text, MSG_WAITALL) == 7);
    CHECK(now() - start >= 50 * GUEST_MILLISECOND);
    CHECK_FAILS(recv(fds[0], text, sizeof text, MSG_WAITALL), EAGAIN);
    CHECK(now() - start >= 100 * GUEST_MILLISECOND);
    return unused;
}

static void time_out(const char *kind)
{
    set_timeout(fds[0], SO_RCVTIMEO, 50);
    CHECK(write(fds[1], "seven b", 7) == 7);
    guest_join(guest_start(reader, NULL));
    puts(kind);
}

int main(void)
{
    tcp_pair(fds);
    time_out("tcp");
    unix_pair(SOCK_STREAM, fds);
    time_out("unix stream");
    return guest_success();
}
