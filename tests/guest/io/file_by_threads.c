// SPDX-License-Identifier: MIT
// Eight threads write and read their parts of one regular file by pwrite, pread, pwritev and preadv, and
// another copy by lseek and read on descriptors of their own.
#include "io.h"

enum { THREADS = 8, PART = 100000 };

static int file;

static void *part(void *argument)
{
    static _Thread_local unsigned char data[PART], got[PART];
    off_t start = (off_t)(intptr_t)argument * PART;
    struct iovec pieces[] = {{data, 333}, {data + 333, PART / 2 - 333}};
    struct iovec got_pieces[] = {{got, 7777}, {got + 7777, PART - 7777}};
    pattern_fill(data, PART, (size_t)start);
    CHECK(pwritev(file, pieces, 2, start) == PART / 2);
    CHECK(pwrite(file, data + PART / 2, PART / 2, start + PART / 2) == PART / 2);
    CHECK(pread(file, got, PART, start) == PART && memcmp(data, got, PART) == 0);
    CHECK(preadv(file, got_pieces, 2, start) == PART && memcmp(data, got, PART) == 0);
    int own = open("file", O_RDONLY);
    CHECK(own >= 0 && lseek(own, start + 10, SEEK_SET) == start + 10);
    CHECK(read(own, got, 1000) == 1000 && memcmp(data + 10, got, 1000) == 0);
    CHECK(lseek(own, 0, SEEK_CUR) == start + 1010);
    CHECK(close(own) == 0);
    return argument;
}

int main(void)
{
    static unsigned char all[THREADS * PART + 1];
    file = open("file", O_RDWR | O_CREAT | O_EXCL, 0600);
    CHECK(file >= 0);
    guest_threads(THREADS, part);
    CHECK(lseek(file, 0, SEEK_CUR) == 0);
    ssize_t count = read(file, all, sizeof all);
    pattern_check(all, THREADS * PART, 0);
    printf("%zd bytes, then %zd\n", count, read(file, all, 1));
    CHECK(unlink("file") == 0 && fsync(file) == 0);
    return guest_success();
}
