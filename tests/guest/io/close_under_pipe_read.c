// SPDX-License-Identifier: MIT
// close of a descriptor while a thread is blocked in read on it: the read keeps the old pipe and gets what
// is written later. A read that starts after the close is EBADF: then another attempt is made.
#include "io.h"

static int fds[2];

static void *reader(void *unused)
{
    char byte = 0;
    blocks_next();
    ssize_t count = read(fds[0], &byte, 1);
    if (count == 1) {
        CHECK(byte == 'x');
        CHECK_FAILS(read(fds[0], &byte, 1), EBADF);
        return &fds;
    }
    CHECK(count == -1 && errno == EBADF);
    return unused;
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    for (int attempt = 1;; attempt++) {
        CHECK(attempt <= 100);
        CHECK(pipe(fds) == 0);
        pthread_t thread = guest_start(reader, NULL);
        wait_blocked(attempt);
        CHECK(close(fds[0]) == 0);
        yield_some(50);
        CHECK(write(fds[1], "x", 1) == 1 || errno == EPIPE);
        void *kept = guest_join(thread);
        CHECK_FAILS(write(fds[1], "x", 1), EPIPE);
        CHECK(close(fds[1]) == 0);
        if (kept)
            break;
    }
    puts("the blocked read kept its pipe");
    return guest_success();
}
