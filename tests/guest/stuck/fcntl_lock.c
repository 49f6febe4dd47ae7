// SPDX-License-Identifier: MIT
// Threads wait in fcntl for a range that another process has locked, with locks of the process and locks of
// the description; a hundred others go on.
#include "helper.h"

static int lock_range(int fd, int command, int type)
{
    struct flock range = {.l_type = (short)type, .l_whence = SEEK_SET, .l_start = 10, .l_len = 10};
    return fcntl(fd, command, &range);
}

static void obey(char command)
{
    static int fd = -1;
    if (fd < 0)
        fd = open("lock", O_RDWR);
    CHECK(lock_range(fd, F_SETLK, command == 'l' ? F_WRLCK : F_UNLCK) == 0);
}

static void prepare(int threads)
{
    (void)threads;
    helper_tell('l');
}

static void block(int index)
{
    int fd = open("lock", O_RDWR);
    CHECK(lock_range(fd, index % 2 ? F_OFD_SETLKW : F_SETLKW, F_WRLCK) == 0);
    CHECK(close(fd) == 0);
}

static void release(int threads)
{
    (void)threads;
    helper_tell('u');
}

int main(void)
{
    static const struct stuck kind = {prepare, block, release};
    int fd = open("lock", O_RDWR | O_CREAT, 0600);
    CHECK(fd >= 0 && close(fd) == 0);
    helper_start(obey);
    int result = stuck_run(&kind);
    helper_end();
    return result;
}
