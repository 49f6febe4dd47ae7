// SPDX-License-Identifier: MIT
// One blocking writev of 40 uneven pieces, 8 MiB in all, writes every piece whole, on a pipe and on a Unix
// socket.
#include "whole.h"

static int fds[2];

static void *writer(void *unused)
{
    struct iovec pieces[40];
    size_t at = 0;
    for (int i = 0; i < 39; i++) {
        size_t length = (size_t)i * 4999 + (i % 7 == 0 ? 0 : 1);
        pieces[i] = (struct iovec){whole_data + at, length};
        at += length;
    }
    pieces[39] = (struct iovec){whole_data + at, WHOLE - at};
    CHECK(writev(fds[1], pieces, 40) == WHOLE);
    CHECK(close(fds[1]) == 0);
    return unused;
}

static void transfer(void)
{
    pthread_t thread = guest_start(writer, NULL);
    printf("read %zu\n", whole_read(fds[0]));
    guest_join(thread);
    close(fds[0]);
}

int main(void)
{
    pattern_fill(whole_data, WHOLE, 0);
    CHECK(pipe(fds) == 0);
    transfer();
    unix_pair(SOCK_STREAM, fds);
    transfer();
    return guest_success();
}
