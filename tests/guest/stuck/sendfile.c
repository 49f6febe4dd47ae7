// SPDX-License-Identifier: MIT
// Threads send a file to receivers that do not read; a hundred others go on. What arrives is checked.
#include "stuck.h"
#include <sys/sendfile.h>

enum { SIZE = 2 << 20 };

static int file, fds[STUCK_FEW][2];
static char got[SIZE];

static void block(int index)
{
    off_t offset = 0;
    while (offset < SIZE)
        CHECK(sendfile(fds[index][0], file, &offset, (size_t)(SIZE - offset)) > 0);
}

static void release(int threads)
{
    for (int i = 0; i < threads; i++) {
        read_whole(fds[i][1], got, sizeof got);
        pattern_check(got, sizeof got, 0);
        memset(got, 0, sizeof got);
    }
}

int main(void)
{
    static const struct stuck kind = {NULL, block, release};
    file = open("file", O_RDWR | O_CREAT, 0600);
    pattern_fill(got, sizeof got, 0);
    CHECK(file >= 0 && write(file, got, sizeof got) == SIZE);
    for (int i = 0; i < STUCK_FEW; i++) {
        int size = 1 << 16;
        tcp_pair(fds[i]);
        CHECK(setsockopt(fds[i][0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size) == 0);
        CHECK(setsockopt(fds[i][1], SOL_SOCKET, SO_RCVBUF, &size, sizeof size) == 0);
    }
    return stuck_run(&kind);
}
