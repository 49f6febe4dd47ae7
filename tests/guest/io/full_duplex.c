// SPDX-License-Identifier: MIT
// One thread reads and another writes the same socket at the same time, both blocked at times: 2 MiB each
// way arrive whole on TCP and on a Unix stream.
#include "whole.h"

enum { LENGTH = WHOLE / 4 };

static int fds[2];

static void *writer(void *argument)
{
    int fd = *(int *)argument;
    CHECK(write(fd, whole_data, LENGTH) == LENGTH);
    CHECK(shutdown(fd, SHUT_WR) == 0);
    return NULL;
}

static void *reader(void *argument)
{
    static _Thread_local unsigned char piece[65536];
    size_t total = 0;
    ssize_t count;
    while ((count = read(*(int *)argument, piece, 10 + total % (sizeof piece - 10))) > 0) {
        pattern_check(piece, (size_t)count, total);
        total += (size_t)count;
    }
    CHECK(count == 0 && total == LENGTH);
    return NULL;
}

static void transfer(const char *kind)
{
    pthread_t thread[4];
    for (int i = 0; i < 4; i++)
        thread[i] = guest_start(i < 2 ? writer : reader, &fds[i % 2]);
    for (int i = 0; i < 4; i++)
        guest_join(thread[i]);
    puts(kind);
}

int main(void)
{
    pattern_fill(whole_data, LENGTH, 0);
    tcp_pair(fds);
    transfer("tcp");
    unix_pair(SOCK_STREAM, fds);
    transfer("unix stream");
    return guest_success();
}
