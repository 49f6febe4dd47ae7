// SPDX-License-Identifier: MIT
// flock between threads with descriptions of their own excludes, blocks and wakes; LOCK_NB gives
// EWOULDBLOCK.
#include "lock_file.h"
#include <sys/file.h>

static void take(int fd)
{
    CHECK(flock(fd, LOCK_EX) == 0);
}

static void leave(int fd)
{
    int other = open("lock", O_RDWR);
    CHECK_FAILS(flock(other, LOCK_EX | LOCK_NB), EWOULDBLOCK);
    CHECK(close(other) == 0);
    CHECK(flock(fd, LOCK_UN) == 0);
}

int main(void)
{
    printf("%d\n", lock_file_contend(take, leave));
    return guest_success();
}
