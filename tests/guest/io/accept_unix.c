// SPDX-License-Identifier: MIT
// accept on a Unix socket waits, tells the name of a bound peer and no name of another, for stream and
// packet sockets.
#include "io.h"

static int listener;

static void *acceptor(void *unused)
{
    for (int i = 0; i < 2; i++) {
        struct sockaddr_un peer;
        socklen_t length = sizeof peer;
        char text[10];
        blocks_next();
        int fd = accept(listener, (struct sockaddr *)&peer, &length);
        CHECK(fd >= 0 && peer.sun_family == AF_UNIX);
        if (length > sizeof(sa_family_t))
            printf("peer %.10s, ", peer.sun_path + 1);
        CHECK(read(fd, text, sizeof text) == 5);
        printf("said %.5s\n", text);
        close(fd);
    }
    return unused;
}

static void connect_both(int type, int round)
{
    struct sockaddr_un address, own = {.sun_family = AF_UNIX};
    socklen_t length;
    listener = unix_listen(type, 5, &address, &length);
    pthread_t thread = guest_start(acceptor, NULL);
    for (int i = 0; i < 2; i++) {
        int fd = socket(AF_UNIX, type, 0);
        if (i == 0) {
            /* abstract: a zero byte, the name, the process to be alone with it */
            int name = sprintf(own.sun_path + 1, "weft-guest-%d-%d", type, getpid());
            CHECK(bind(fd, (struct sockaddr *)&own, (socklen_t)(sizeof(sa_family_t) + 1 + (size_t)name)) ==
                  0);
        }
        wait_blocked(round * 2 + i + 1);
        CHECK(connect(fd, (struct sockaddr *)&address, length) == 0);
        CHECK(write(fd, "hello", 5) == 5);
    }
    guest_join(thread);
    close(listener);
}

int main(void)
{
    connect_both(SOCK_STREAM, 0);
    connect_both(SOCK_SEQPACKET, 1);
    return guest_success();
}
