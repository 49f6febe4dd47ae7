// SPDX-License-Identifier: MIT
// sendfile of 8 MiB from a file to a socket with a slow reader sends what was asked, from an offset that
// it moves, and leaves the file's own position alone.
#include "whole.h"
#include <sys/sendfile.h>

static int fds[2], file;

static void *sender(void *unused)
{
    off_t offset = 1000;
    size_t left = WHOLE - 1000;
    while (left > 0) {
        ssize_t count = sendfile(fds[1], file, &offset, left);
        CHECK(count > 0);
        left -= (size_t)count;
    }
    CHECK(offset == WHOLE && lseek(file, 0, SEEK_CUR) == 0);
    CHECK(sendfile(fds[1], file, &offset, 10) == 0);
    CHECK(shutdown(fds[1], SHUT_WR) == 0);
    return unused;
}

static void transfer(const char *kind)
{
    static unsigned char piece[65536];
    size_t total = 1000;
    ssize_t count;
    pthread_t thread = guest_start(sender, NULL);
    while ((count = read(fds[0], piece, total < 50000 ? 3000 : sizeof piece)) > 0) {
        pattern_check(piece, (size_t)count, total);
        total += (size_t)count;
        yield_some(2);
    }
    CHECK(count == 0);
    guest_join(thread);
    printf("%s: %zu\n", kind, total);
}

int main(void)
{
    file = open("file", O_RDWR | O_CREAT | O_EXCL, 0600);
    CHECK(file >= 0 && unlink("file") == 0);
    pattern_fill(whole_data, WHOLE, 0);
    CHECK(write(file, whole_data, WHOLE) == WHOLE && lseek(file, 0, SEEK_SET) == 0);
    tcp_pair(fds);
    transfer("tcp");
    unix_pair(SOCK_STREAM, fds);
    transfer("unix stream");
    return guest_success();
}
