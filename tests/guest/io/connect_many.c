// SPDX-License-Identifier: MIT
// A hundred threads connect to one listener at the same time; each has its own pair of names and its own
// answer.
#include "io.h"

enum { CLIENTS = 100 };

static struct sockaddr_in address;

static void *client(void *argument)
{
    int number = (int)(intptr_t)argument, answer[2];
    struct sockaddr_in own;
    socklen_t length = sizeof own;
    int fd = tcp_connect(&address);
    CHECK(getsockname(fd, (struct sockaddr *)&own, &length) == 0);
    CHECK(write(fd, &number, sizeof number) == sizeof number);
    read_whole(fd, answer, sizeof answer);
    CHECK(answer[0] == number + 1 && answer[1] == own.sin_port);
    close(fd);
    return (void *)(intptr_t)number;
}

static void *serve(void *argument)
{
    int listener = *(int *)argument;
    for (int i = 0; i < CLIENTS; i++) {
        int answer[2];
        struct sockaddr_in peer;
        socklen_t length = sizeof peer;
        int fd = accept(listener, (struct sockaddr *)&peer, &length);
        CHECK(fd >= 0);
        read_whole(fd, answer, sizeof answer[0]);
        answer[0]++;
        answer[1] = peer.sin_port;
        CHECK(write(fd, answer, sizeof answer) == sizeof answer);
        close(fd);
    }
    return NULL;
}

int main(void)
{
    int listener = tcp_listen(CLIENTS, &address);
    pthread_t server = guest_start(serve, &listener);
    printf("sum %ld\n", (long)guest_threads(CLIENTS, client));
    guest_join(server);
    return guest_success();
}
