// SPDX-License-Identifier: MIT
// Threads wait in flock for a lock that another description holds; a hundred others go on.
#include "stuck.h"
#include <sys/file.h>

static int holder;

static void prepare(int threads)
{
    (void)threads;
    CHECK(flock(holder, LOCK_EX) == 0);
}

static void block(int index)
{
    int fd = open("lock", O_RDWR);
    CHECK(flock(fd, index % 2 ? LOCK_SH : LOCK_EX) == 0);
    CHECK(close(fd) == 0);
}

static void release(int threads)
{
    (void)threads;
    CHECK(flock(holder, LOCK_UN) == 0);
}

int main(void)
{
    static const struct stuck kind = {prepare, block, release};
    holder = open("lock", O_RDWR | O_CREAT, 0600);
    CHECK(holder >= 0);
    return stuck_run(&kind);
}
