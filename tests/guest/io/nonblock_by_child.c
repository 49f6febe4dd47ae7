// SPDX-License-Identifier: MIT
// O_NONBLOCK set or cleared by a child process on a shared description is honoured here at the next call.
#include "io.h"

static int fds[2];

static void set_by_child(int flags)
{
    int status;
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0)
        _exit(fcntl(fds[0], F_SETFL, flags) == 0 ? 0 : 1);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static void *reader(void *unused)
{
    char byte;
    set_by_child(O_NONBLOCK);
    CHECK_FAILS(read(fds[0], &byte, 1), EAGAIN);
    set_by_child(0);
    blocks_next();
    CHECK(read(fds[0], &byte, 1) == 1);
    set_by_child(O_NONBLOCK);
    CHECK_FAILS(read(fds[0], &byte, 1), EAGAIN);
    return unused;
}

static void by_child(const char *kind, int round)
{
    pthread_t thread = guest_start(reader, NULL);
    wait_blocked(round);
    CHECK(write(fds[1], "x", 1) == 1);
    guest_join(thread);
    puts(kind);
}

int main(void)
{
    CHECK(pipe(fds) == 0);
    by_child("pipe", 1);
    tcp_pair(fds);
    by_child("tcp", 2);
    return guest_success();
}
