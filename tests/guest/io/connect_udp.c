// SPDX-License-Identifier: MIT
// A connected UDP socket receives from its peer alone, can be connected again elsewhere, and forgets its
// peer by AF_UNSPEC.
#include "io.h"

static int fd;

static void *reader(void *unused)
{
    char text[10];
    for (int i = 0; i < 2; i++) {
        blocks_next();
        CHECK(recv(fd, text, sizeof text, 0) == 4);
        printf("%.4s\n", text);
    }
    return unused;
}

static void say(int peer, const char *text, const struct sockaddr_in *to)
{
    CHECK(sendto(peer, text, 4, 0, (const struct sockaddr *)to, sizeof *to) == 4);
}

int main(void)
{
    struct sockaddr_in own, address[2];
    struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    socklen_t length = sizeof nobody;
    int peer[2];
    fd = inet_bound(SOCK_DGRAM, &own);
    for (int i = 0; i < 2; i++)
        peer[i] = inet_bound(SOCK_DGRAM, &address[i]);
    CHECK(connect(fd, (struct sockaddr *)&address[0], sizeof address[0]) == 0);
    pthread_t thread = guest_start(reader, NULL);
    wait_blocked(1);
    say(peer[1], "lost", &own);
    say(peer[0], "zero", &own);
    wait_blocked(2);
    CHECK(connect(fd, (struct sockaddr *)&address[1], sizeof address[1]) == 0);
    say(peer[0], "lost", &own);
    say(peer[1], "one.", &own);
    guest_join(thread);
    CHECK(connect(fd, &nobody, sizeof nobody) == 0);
    CHECK_FAILS(getpeername(fd, &nobody, &length), ENOTCONN);
    return guest_success();
}
