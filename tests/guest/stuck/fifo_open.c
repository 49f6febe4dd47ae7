// SPDX-License-Identifier: MIT
// Threads wait in open for somebody who opens the other end of a FIFO; a hundred others go on.
#include "stuck.h"

static int other_end = -1;

static void prepare(int threads)
{
    (void)threads;
    CHECK(other_end < 0 || close(other_end) == 0);
}

static void block(int index)
{
    (void)index;
    int fd = open("fifo", O_RDONLY);
    CHECK(fd >= 0 && close(fd) == 0);
}

// It stays open: a thread that comes late to its open does not wait then.
static void release(int threads)
{
    (void)threads;
    other_end = open("fifo", O_WRONLY);
    CHECK(other_end >= 0);
}

int main(void)
{
    static const struct stuck kind = {prepare, block, release};
    CHECK(mkfifo("fifo", 0600) == 0);
    return stuck_run(&kind);
}
