// SPDX-License-Identifier: MIT
// close of a listener while a thread is blocked in accept on it: that accept keeps the listener and serves
// the next connection; then nobody listens. An accept that starts after the close is EBADF: then another
// attempt is made.
#include "io.h"

static int listener;

static void *acceptor(void *unused)
{
    (void)unused;
    blocks_next();
    int fd = accept(listener, NULL, NULL);
    CHECK(fd >= 0 || errno == EBADF);
    return (void *)(intptr_t)fd;
}

static void close_under(const char *kind, int tcp)
{
    static int started;
    struct sockaddr_in address;
    struct sockaddr_un unix_address;
    socklen_t length = sizeof address;
    for (int attempt = 1;; attempt++) {
        CHECK(attempt <= 100);
        struct sockaddr *name = tcp ? (struct sockaddr *)&address : (struct sockaddr *)&unix_address;
        listener = tcp ? tcp_listen(5, &address) : unix_listen(SOCK_STREAM, 5, &unix_address, &length);
        pthread_t thread = guest_start(acceptor, NULL);
        wait_blocked(++started);
        CHECK(close(listener) == 0);
        yield_some(50);
        int client = socket(tcp ? AF_INET : AF_UNIX, SOCK_STREAM, 0);
        int connected = connect(client, name, length);
        CHECK(connected == 0 || errno == ECONNREFUSED);
        int fd = (int)(intptr_t)guest_join(thread);
        CHECK((fd >= 0) == (connected == 0));
        if (fd >= 0) {
            char byte;
            CHECK(write(client, "x", 1) == 1 && read(fd, &byte, 1) == 1);
            int late = socket(tcp ? AF_INET : AF_UNIX, SOCK_STREAM, 0);
            CHECK_FAILS(connect(late, name, length), ECONNREFUSED);
            puts(kind);
            return;
        }
        close(client);
    }
}

int main(void)
{
    close_under("tcp", 1);
    close_under("unix", 0);
    return guest_success();
}
