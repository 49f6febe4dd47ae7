// SPDX-License-Identifier: MIT
// A handler with SA_RESTART runs in the blocked thread, many times, and the blocked read, recv, accept and
// write go on and complete; poll, select and epoll_wait end with EINTR all the same.
#include "handler.h"
#include <sys/epoll.h>
#include <sys/select.h>

static int fds[2], full[2], listener, epoll;
static atomic_int returned;

static void *in_read(void *unused)
{
    char byte;
    CHECK(read(fds[0], &byte, 1) == 1);
    return unused;
}

static void *in_recv(void *unused)
{
    char bytes[3];
    CHECK(recv(fds[0], bytes, 1, 0) == 1);
    return unused;
}

static void *in_accept(void *unused)
{
    CHECK(accept(listener, NULL, NULL) >= 0);
    return unused;
}

static void *in_write(void *unused)
{
    CHECK(write(full[1], "x", 1) == 1);
    return unused;
}

static void *in_wait(void *argument)
{
    struct pollfd waiting = {.fd = fds[0], .events = POLLIN};
    fd_set set;
    FD_ZERO(&set);
    FD_SET(fds[0], &set);
    if (argument == (void *)0)
        CHECK_FAILS(poll(&waiting, 1, -1), EINTR);
    else if (argument == (void *)1)
        CHECK_FAILS(select(fds[0] + 1, &set, NULL, NULL, NULL), EINTR);
    else
        CHECK_FAILS(epoll_wait(epoll, &(struct epoll_event){0}, 1, -1), EINTR);
    returned = 1;
    return NULL;
}

int main(void)
{
    static char data[1 << 20];
    struct sockaddr_in address;
    handler_install(SIGUSR1, SA_RESTART);
    CHECK(pipe(fds) == 0 && pipe(full) == 0);
    pthread_t thread = guest_start(in_read, NULL);
    signal_and_wait(thread, 20);
    CHECK(write(fds[1], "x", 1) == 1);
    guest_join(thread);
    tcp_pair(fds);
    thread = guest_start(in_recv, NULL);
    signal_and_wait(thread, 20);
    CHECK(write(fds[1], "x", 1) == 1);
    guest_join(thread);
    listener = tcp_listen(1, &address);
    thread = guest_start(in_accept, NULL);
    signal_and_wait(thread, 20);
    tcp_connect(&address);
    guest_join(thread);
    size_t filled = fill_up(full[1]);
    thread = guest_start(in_write, NULL);
    signal_and_wait(thread, 20);
    read_whole(full[0], data, filled);
    guest_join(thread);
    epoll = epoll_create1(0);
    for (int i = 0; i < 3; i++) {
        returned = 0;
        thread = guest_start(in_wait, (void *)(intptr_t)i);
        signal_until(thread, &returned);
        guest_join(thread);
    }
    CHECK(handled >= 83);
    puts("read, recv, accept, write go on; poll, select, epoll_wait end");
    return guest_success();
}
