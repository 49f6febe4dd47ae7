// SPDX-License-Identifier: MIT
// A sender of Unix datagrams or packets waits while the receiver's queue is full; boundaries and order are
// kept.
#include "io.h"

enum { MESSAGES = 500 };

static int fds[2];

static void *sender(void *unused)
{
    char text[2000];
    for (int i = 0; i < MESSAGES; i++) {
        memset(text, 'a' + i % 26, sizeof text);
        CHECK(send(fds[1], text, (size_t)i + 1, 0) == i + 1);
    }
    CHECK(close(fds[1]) == 0);
    return unused;
}

static void receive(const char *kind)
{
    char text[2000];
    pthread_t thread = guest_start(sender, NULL);
    for (int i = 0; i < MESSAGES; i++) {
        CHECK(recv(fds[0], text, sizeof text, 0) == i + 1);
        CHECK(text[0] == 'a' + i % 26 && text[i] == 'a' + i % 26);
    }
    guest_join(thread);
    printf("%s: %d in order\n", kind, MESSAGES);
}

int main(void)
{
    char byte;
    unix_pair(SOCK_DGRAM, fds);
    receive("datagrams");
    unix_pair(SOCK_SEQPACKET, fds);
    receive("packets");
    CHECK(recv(fds[0], &byte, 1, 0) == 0);
    return guest_success();
}
