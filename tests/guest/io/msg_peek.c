// SPDX-License-Identifier: MIT
// A blocked recv with MSG_PEEK waits for data and leaves it: any number of peeks see the same bytes, the
// read that follows gets them.
#include "io.h"

static int in;

static void *reader(void *unused)
{
    char text[10];
    blocks_next();
    for (int i = 0; i < 3; i++)
        CHECK(recv(in, text, i + 1, MSG_PEEK) == i + 1 && memcmp(text, "peeked", i + 1) == 0);
    CHECK(read(in, text, sizeof text) == 6 && memcmp(text, "peeked", 6) == 0);
    return unused;
}

static void peek(const char *kind, const int fds[2], int round)
{
    in = fds[0];
    pthread_t thread = guest_start(reader, NULL);
    wait_blocked(round);
    CHECK(write(fds[1], "peeked", 6) == 6);
    guest_join(thread);
    CHECK_FAILS(recv(in, &(char){0}, 1, MSG_PEEK | MSG_DONTWAIT), EAGAIN);
    puts(kind);
}

int main(void)
{
    int fds[2];
    tcp_pair(fds);
    peek("tcp", fds, 1);
    unix_pair(SOCK_STREAM, fds);
    peek("unix stream", fds, 2);
    udp_pair(fds);
    peek("udp", fds, 3);
    return guest_success();
}
