// SPDX-License-Identifier: MIT
// A program that closes every descriptor it does not know, by a loop over 3 to 1023 or by close_range(3,
// ~0), does no harm to its threads: they go on sleeping, blocking and waking.
#include "io.h"
#include <sys/syscall.h>

static int fds[2];

static void *sleeper(void *unused)
{
    blocks_next();
    poll(NULL, 0, 5);
    return unused;
}

static void *reader(void *unused)
{
    char byte;
    blocks_next();
    CHECK(read(fds[0], &byte, 1) == 1);
    return unused;
}

static pid_t child;

static void *parent(void *unused)
{
    int status;
    child = fork();
    if (child == 0)
        for (;;)
            pause();
    blocks_next();
    CHECK(waitpid(child, &status, 0) == child);
    return unused;
}

static void talk(int round)
{
    CHECK(pipe(fds) == 0);
    pthread_t a = guest_start(reader, NULL), b = guest_start(sleeper, NULL);
    wait_blocked(round * 2);
    CHECK(write(fds[1], "x", 1) == 1);
    guest_join(a);
    guest_join(b);
}

int main(void)
{
    pthread_t sleeping = guest_start(sleeper, NULL);
    guest_join(sleeping);
    blocked_count = 0;
    talk(1);
    for (int i = 3; i < 1024; i++)
        close(i);
    talk(2);
    sleeping = guest_start(sleeper, NULL);
    pthread_t waiting = guest_start(parent, NULL);
    wait_blocked(6);
    CHECK(syscall(436 /* close_range, which old libcs lack */, 3, ~0U, 0) == 0);
    guest_join(sleeping);
    CHECK(kill(child, SIGKILL) == 0);
    guest_join(waiting);
    blocked_count = 4;
    talk(3);
    printf("lowest is %d\n", fds[0]);
    return guest_success();
}
