// SPDX-License-Identifier: MIT
// close of a descriptor while a thread is inside a long write on it: the write completes whole into the
// old pipe, and the reader sees the end only afterwards.
#include "io.h"

enum { LENGTH = 1 << 20 };

static int fds[2];
static unsigned char data[LENGTH];

static void *writer(void *unused)
{
    CHECK(write(fds[1], data, LENGTH) == LENGTH);
    CHECK_FAILS(write(fds[1], data, 1), EBADF);
    return unused;
}

int main(void)
{
    static unsigned char got[LENGTH];
    pattern_fill(data, LENGTH, 0);
    CHECK(pipe(fds) == 0);
    pthread_t thread = guest_start(writer, NULL);
    wait_unread(fds[0], fcntl(fds[0], F_GETPIPE_SZ));
    CHECK(close(fds[1]) == 0);
    CHECK_FAILS(fcntl(fds[1], F_GETFL), EBADF);
    yield_some(200);
    read_whole(fds[0], got, LENGTH);
    pattern_check(got, LENGTH, 0);
    CHECK(read(fds[0], got, 1) == 0);
    guest_join(thread);
    puts("whole, then the end");
    return guest_success();
}
