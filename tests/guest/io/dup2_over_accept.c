// SPDX-License-Identifier: MIT
// dup2 over a listener that a thread is blocked in accept on: that accept serves the old address once
// more, the next one the new address. An accept that starts after the dup2 serves the new address alone:
// then another attempt is made.
#include "io.h"

static int listener[2];

static void *acceptor(void *unused)
{
    struct sockaddr_in own;
    socklen_t length = sizeof own;
    (void)unused;
    blocks_next();
    int fd = accept(listener[0], NULL, NULL);
    CHECK(fd >= 0 && getsockname(fd, (struct sockaddr *)&own, &length) == 0);
    close(fd);
    return (void *)(intptr_t)own.sin_port;
}

int main(void)
{
    struct sockaddr_in address[2];
    for (int attempt = 1;; attempt++) {
        CHECK(attempt <= 100);
        listener[0] = tcp_listen(5, &address[0]);
        listener[1] = tcp_listen(5, &address[1]);
        pthread_t thread = guest_start(acceptor, NULL);
        wait_blocked(2 * attempt - 1);
        CHECK(dup2(listener[1], listener[0]) == listener[0]);
        int client = socket(AF_INET, SOCK_STREAM, 0), other = -1;
        int error = connect(client, (struct sockaddr *)&address[0], sizeof address[0]) == 0 ? 0 : errno;
        CHECK(error == 0 || error == ECONNREFUSED);
        if (error)
            other = tcp_connect(&address[1]);
        CHECK((int)(intptr_t)guest_join(thread) == address[error != 0].sin_port);
        thread = guest_start(acceptor, NULL);
        wait_blocked(2 * attempt);
        int next = tcp_connect(&address[1]);
        CHECK((int)(intptr_t)guest_join(thread) == address[1].sin_port);
        close(client);
        close(other);
        close(next);
        close(listener[0]);
        close(listener[1]);
        if (!error)
            break;
    }
    puts("old once, then new");
    return guest_success();
}
