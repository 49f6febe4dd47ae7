// SPDX-License-Identifier: MIT
// A writer blocked on a full pipe whose last reader closes returns what it had written; the next write is
// EPIPE. SIGPIPE is ignored.
#include "io.h"

static int pipe_fd[2];
static char data[1 << 20];

static void *writer(void *unused)
{
    ssize_t count = write(pipe_fd[1], data, sizeof data);
    printf("write returned %zd\n", count);
    CHECK_FAILS(write(pipe_fd[1], data, 1), EPIPE);
    CHECK_FAILS(writev(pipe_fd[1], &(struct iovec){data, 1}, 1), EPIPE);
    return unused;
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    CHECK(pipe(pipe_fd) == 0);
    int capacity = fcntl(pipe_fd[0], F_GETPIPE_SZ);
    pthread_t thread = guest_start(writer, NULL);
    wait_unread(pipe_fd[0], capacity);
    yield_some(200);
    CHECK(close(pipe_fd[0]) == 0);
    guest_join(thread);
    return guest_success();
}
