// SPDX-License-Identifier: MIT
// Threads read cold files all the time: calls that sometimes wait for the disk and never say so. They stop
// only after a hundred others have gone on.
#include "stuck.h"

enum { FILES = 8, SIZE = 1 << 20, PIECE = 1 << 16 };

static void name_of(int file, char name[20])
{
    snprintf(name, 20, "file%d", file);
}

static void create(int file)
{
    static unsigned char piece[PIECE];
    char name[20];
    name_of(file, name);
    int fd = open(name, O_WRONLY | O_CREAT, 0600);
    CHECK(fd >= 0);
    for (size_t done = 0; done < SIZE; done += PIECE) {
        pattern_fill(piece, PIECE, done + (size_t)file);
        CHECK_EQUAL(write(fd, piece, PIECE), PIECE);
    }
    CHECK(fdatasync(fd) == 0 && close(fd) == 0);
}

static void read_file(int file)
{
    unsigned char piece[PIECE];
    char name[20];
    name_of(file, name);
    int fd = open(name, O_RDONLY);
    CHECK(fd >= 0);
    CHECK_EQUAL(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
    for (size_t done = 0; done < SIZE; done += PIECE) {
        CHECK_EQUAL(done % (2 * PIECE) ? pread(fd, piece, PIECE, (off_t)done) : read(fd, piece, PIECE),
                    PIECE);
        if (done % (2 * PIECE))
            CHECK(lseek(fd, PIECE, SEEK_CUR) > 0);
        pattern_check(piece, PIECE, done + (size_t)file);
    }
    CHECK(close(fd) == 0);
}

static void block(int index)
{
    int file = index;
    do
        read_file(file++ % FILES);
    while (!atomic_load(&stuck_released));
}

static void release(int threads)
{
    (void)threads; // stuck_released is the release
}

int main(void)
{
    static const struct stuck kind = {NULL, block, release};
    for (int i = 0; i < FILES; i++)
        create(i);
    return stuck_run(&kind);
}
