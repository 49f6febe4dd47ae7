// SPDX-License-Identifier: MIT
// Threads that sleep, threads that read with a timeout by poll and threads that are served at once do not
// hold each other up: all finish, the sleepers not before their time.
#include "io.h"

static int fds[2], never[2];

static void *sleeper(void *argument)
{
    int milliseconds = 10 * (int)(intptr_t)argument;
    int64_t start = now();
    struct timespec time = {0, milliseconds * GUEST_MILLISECOND};
    CHECK(nanosleep(&time, NULL) == 0);
    CHECK(now() - start >= milliseconds * GUEST_MILLISECOND);
    start = now();
    CHECK(poll(&(struct pollfd){.fd = never[0], .events = POLLIN}, 1, milliseconds) == 0);
    CHECK(now() - start >= milliseconds * GUEST_MILLISECOND);
    return argument;
}

static void *echo(void *unused)
{
    char byte;
    while (read(fds[0], &byte, 1) == 1)
        CHECK(write(fds[0], &byte, 1) == 1);
    return unused;
}

static void *talk(void *unused)
{
    char byte = 'x';
    for (int i = 0; i < 2000; i++)
        CHECK(write(fds[1], &byte, 1) == 1 && read(fds[1], &byte, 1) == 1);
    CHECK(shutdown(fds[1], SHUT_WR) == 0);
    return unused;
}

int main(void)
{
    unix_pair(SOCK_STREAM, fds);
    CHECK(pipe(never) == 0);
    pthread_t a = guest_start(echo, NULL), b = guest_start(talk, NULL);
    printf("%ld\n", (long)guest_threads(10, sleeper));
    guest_join(b);
    guest_join(a);
    return guest_success();
}
