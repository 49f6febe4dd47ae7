// SPDX-License-Identifier: MIT
// A signal that interrupts a transfer which has moved something ends it with the partial count, with
// SA_RESTART or not: a long write to a pipe, recv with MSG_WAITALL on TCP and on a Unix stream.
#include "handler.h"

static int fds[2];
static atomic_int returned;

static void *writer(void *unused)
{
    static char data[1 << 20];
    (void)unused;
    ssize_t count = write(fds[1], data, sizeof data);
    returned = 1;
    return (void *)count;
}

static void *receiver(void *unused)
{
    char text[10];
    (void)unused;
    ssize_t count = recv(fds[0], text, sizeof text, MSG_WAITALL);
    returned = 1;
    return (void *)count;
}

static void interrupt(int flags)
{
    handler_install(SIGUSR1, flags);
    CHECK(pipe(fds) == 0);
    returned = 0;
    pthread_t thread = guest_start(writer, NULL);
    int capacity = fcntl(fds[0], F_GETPIPE_SZ);
    wait_unread(fds[0], capacity);
    signal_until(thread, &returned);
    CHECK((intptr_t)guest_join(thread) == capacity && unread(fds[0]) == capacity);
    for (int i = 0; i < 2; i++) {
        if (i == 0)
            tcp_pair(fds);
        else
            unix_pair(SOCK_STREAM, fds);
        returned = 0;
        thread = guest_start(receiver, NULL);
        CHECK(send(fds[1], "abc", 3, 0) == 3);
        wait_unread(fds[0], 0);
        signal_until(thread, &returned);
        printf("received %ld\n", (long)(intptr_t)guest_join(thread));
    }
}

int main(void)
{
    interrupt(0);
    interrupt(SA_RESTART);
    return guest_success();
}
