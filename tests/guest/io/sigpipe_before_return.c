// SPDX-License-Identifier: MIT
// The handler for the SIGPIPE of a write has run, in the thread that wrote, when write returns.
#include "guest.h"

#include <signal.h>
#include <sys/socket.h>

enum { THREADS = 4, WRITES = 1000 };

static __thread volatile int handled;

static void on_pipe(int number)
{
    (void)number;
    handled++;
}

static void *write_often(void *index)
{
    int fds[2];
    if ((intptr_t)index % 2)
        CHECK_EQUAL(pipe(fds), 0);
    else
        CHECK_EQUAL(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    close(fds[0]);
    for (int i = 0; i < WRITES; i++) {
        CHECK_EQUAL(write(fds[1], "x", 1), -1);
        CHECK_EQUAL(errno, EPIPE);
        CHECK_EQUAL(handled, i + 1);
    }
    close(fds[1]);
    return NULL;
}

int main(void)
{
    CHECK(signal(SIGPIPE, on_pipe) != SIG_ERR);
    guest_threads(THREADS, write_often);
    return guest_success();
}
