// SPDX-License-Identifier: MIT
// Claims: a send that has sent something and waits when its peer resets the connection tells how much,
// without SIGPIPE; the next call has the error of the reset, the one behind it EPIPE and SIGPIPE.
#include "io.h"

static char room[8 << 20];
static int fds[2];
static volatile sig_atomic_t pipes;

static void on_pipe(int number)
{
    (void)number;
    pipes++;
}

static void *sender(void *by_writev)
{
    struct iovec parts[] = {{room, sizeof room / 2}, {room, sizeof room / 2}};
    ssize_t sent = by_writev ? writev(fds[1], parts, 2) : send(fds[1], room, sizeof room, 0);
    CHECK(sent > 0 && sent < (ssize_t)sizeof room);
    CHECK_EQUAL(pipes, 0);
    CHECK_FAILS(send(fds[1], "x", 1, 0), ECONNRESET);
    CHECK_EQUAL(pipes, 0);
    CHECK_FAILS(send(fds[1], "x", 1, 0), EPIPE);
    CHECK_EQUAL(pipes, 1);
    return NULL;
}

// Until it sends no more: then it waits.
static void wait_until_full(void)
{
    int queued = 0, before;
    do {
        before = queued;
        yield_some(200);
        CHECK_EQUAL(ioctl(fds[0], FIONREAD, &queued), 0);
    } while (queued == 0 || queued != before);
}

int main(void)
{
    const struct sigaction action = {.sa_handler = on_pipe, .sa_flags = SA_RESTART};
    CHECK_EQUAL(sigaction(SIGPIPE, &action, NULL), 0);
    for (int by_writev = 0; by_writev < 2; by_writev++) {
        pipes = 0;
        tcp_pair(fds);
        pthread_t thread = guest_start(sender, by_writev ? fds : NULL);
        wait_until_full();
        CHECK_EQUAL(close(fds[0]), 0); // with what it has not read: a reset
        guest_join(thread);
        CHECK_EQUAL(close(fds[1]), 0);
    }
    return guest_success();
}
