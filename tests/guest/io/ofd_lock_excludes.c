// SPDX-License-Identifier: MIT
// fcntl F_OFD_SETLKW between threads with descriptions of their own excludes, blocks and wakes;
// F_OFD_SETLK gives EAGAIN.
#include "lock_file.h"

static void take(int fd)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 10, .l_len = 5};
    CHECK(fcntl(fd, F_OFD_SETLKW, &lock) == 0);
}

static void leave(int fd)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 14, .l_len = 1};
    int other = open("lock", O_RDWR);
    CHECK_FAILS(fcntl(other, F_OFD_SETLK, &lock), EAGAIN);
    CHECK(close(other) == 0);
    lock = (struct flock){.l_type = F_UNLCK, .l_whence = SEEK_SET, .l_start = 10, .l_len = 5};
    CHECK(fcntl(fd, F_OFD_SETLK, &lock) == 0);
}

int main(void)
{
    printf("%d\n", lock_file_contend(take, leave));
    return guest_success();
}
