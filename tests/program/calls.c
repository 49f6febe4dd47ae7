// SPDX-License-Identifier: MIT
// A thread that makes calls which never wait, as servers do: for count-added, which counts what they cost.
#include <pthread.h>
#include <stdlib.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { ROUNDS = 500 };

static int pair[2]; // older than the thread, and so than weft's being active

static void require(int right)
{
    if (!right)
        abort();
}

static void *call(void *unused)
{
    struct sockaddr_un nobody = {.sun_family = AF_UNIX, .sun_path = "/nowhere/at/all"};
    char answer[100];
    for (int i = 0; i < ROUNDS; i++) {
        int log = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0); // as syslog does
        require(connect(log, (struct sockaddr *)&nobody, sizeof nobody) != 0 && close(log) == 0);

        fd_set writable;
        struct timeval limit = {10, 0};
        FD_ZERO(&writable);
        FD_SET(pair[1], &writable);
        require(select(pair[1] + 1, NULL, &writable, NULL, &limit) == 1);
        require(send(pair[1], "request", 7, 0) == 7);
        require(recv(pair[0], answer, sizeof answer, 0) == 7);
    }
    return unused;
}

int main(void)
{
    pthread_t thread;
    require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
    require(pthread_create(&thread, NULL, call, NULL) == 0 && pthread_join(thread, NULL) == 0);
    return 0;
}
