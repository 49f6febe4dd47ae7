// SPDX-License-Identifier: MIT
// A hundred threads poll the same descriptor: one write wakes them all, and all see POLLIN.
#include "io.h"

static int fds[2];

static void *poller(void *unused)
{
    struct pollfd waiting = {.fd = fds[0], .events = POLLIN};
    (void)unused;
    blocks_next();
    CHECK(poll(&waiting, 1, -1) == 1 && waiting.revents == POLLIN);
    return (void *)1;
}

static void *writer(void *unused)
{
    wait_blocked(100);
    CHECK(write(fds[1], "x", 1) == 1);
    return unused;
}

int main(void)
{
    CHECK(pipe(fds) == 0);
    pthread_t thread = guest_start(writer, NULL);
    printf("%ld woken\n", (long)guest_threads(100, poller));
    guest_join(thread);
    return guest_success();
}
