// SPDX-License-Identifier: MIT
// Threads write to files and wait for the disk (fsync, fdatasync, msync, O_SYNC) all the time. They stop only
// after a hundred others have gone on.
#include "stuck.h"
#include <sys/mman.h>

enum { SIZE = 1 << 16 };

static void block(int index)
{
    static const char zeros[SIZE];
    char name[20];
    snprintf(name, sizeof name, "file%d", index);
    int fd = open(name, O_RDWR | O_CREAT | (index % 4 == 3 ? O_SYNC : 0), 0600);
    CHECK(fd >= 0);
    char *mapping = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(mapping != MAP_FAILED);
    do {
        CHECK_EQUAL(pwrite(fd, zeros, SIZE, 0), SIZE);
        if (index % 4 == 0)
            CHECK(fsync(fd) == 0);
        if (index % 4 == 1)
            CHECK(fdatasync(fd) == 0);
        mapping[1] = 1;
        if (index % 4 == 2)
            CHECK(msync(mapping, SIZE, MS_SYNC) == 0);
    } while (!atomic_load(&stuck_released));
    CHECK(munmap(mapping, SIZE) == 0 && close(fd) == 0);
}

static void release(int threads)
{
    (void)threads; // stuck_released is the release
}

int main(void)
{
    static const struct stuck kind = {NULL, block, release};
    return stuck_run(&kind);
}
