// SPDX-License-Identifier: MIT
// A handler without SA_RESTART ends each blocked call with EINTR: read, write, recv, send, accept,
// connect, poll, select, epoll_wait, on pipes and sockets.
#include "handler.h"
#include <sys/epoll.h>
#include <sys/select.h>

static int empty[2], full[2], stream[2], full_stream[2], listener, epoll;
static struct sockaddr_un address;
static socklen_t length;
static atomic_int returned;

static int call(int which)
{
    char byte = 0;
    fd_set set;
    struct pollfd waiting = {.fd = empty[0], .events = POLLIN};
    switch (which) {
    case 0:
        return (int)read(empty[0], &byte, 1);
    case 1:
        return (int)write(full[1], &byte, 1);
    case 2:
        return (int)recv(stream[0], &byte, 1, 0);
    case 3:
        return (int)send(full_stream[1], &byte, 1, 0);
    case 4:
        return accept(listener, NULL, NULL);
    case 5:
        return connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&address, length);
    case 6:
        return poll(&waiting, 1, -1);
    case 7:
        FD_ZERO(&set);
        FD_SET(empty[0], &set);
        return select(empty[0] + 1, &set, NULL, NULL, NULL);
    default:
        return epoll_wait(epoll, &(struct epoll_event){0}, 1, -1);
    }
}

static void *caller(void *argument)
{
    CHECK_FAILS(call((int)(intptr_t)argument), EINTR);
    returned = 1;
    return NULL;
}

int main(void)
{
    struct sockaddr_in unused;
    handler_install(SIGUSR1, 0);
    CHECK(pipe(empty) == 0 && pipe(full) == 0);
    unix_pair(SOCK_STREAM, stream);
    unix_pair(SOCK_STREAM, full_stream);
    fill_up(full[1]);
    fill_up(full_stream[1]);
    listener = tcp_listen(1, &unused);
    unix_listen(SOCK_STREAM, 0, &address, &length);
    CHECK(connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&address, length) == 0);
    epoll = epoll_create1(0);
    for (int i = 0; i < 9; i++) {
        returned = 0;
        pthread_t thread = guest_start(caller, (void *)(intptr_t)i);
        signal_until(thread, &returned);
        guest_join(thread);
    }
    CHECK(handled >= 9);
    puts("nine calls, EINTR");
    return guest_success();
}
