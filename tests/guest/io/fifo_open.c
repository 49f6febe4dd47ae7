// SPDX-License-Identifier: MIT
// open of a FIFO blocks until the other end is opened by another thread, in both orders; data passes, the
// end is seen, and it can be opened again. O_NONBLOCK: ENXIO for a writer alone.
#include "io.h"

static int flags;

static void *opener(void *unused)
{
    (void)unused;
    blocks_next();
    int fd = open("fifo", flags);
    CHECK(fd >= 0);
    return (void *)(intptr_t)fd;
}

int main(void)
{
    char text[10];
    CHECK(mkfifo("fifo", 0600) == 0);
    for (int round = 1; round <= 4; round++) {
        flags = round % 2 ? O_RDONLY : O_WRONLY;
        pthread_t thread = guest_start(opener, NULL);
        wait_blocked(round);
        int mine = open("fifo", round % 2 ? O_WRONLY : O_RDONLY), theirs = (int)(intptr_t)guest_join(thread);
        int in = round % 2 ? theirs : mine, out = round % 2 ? mine : theirs;
        CHECK(mine >= 0);
        CHECK(write(out, "through", 7) == 7 && close(out) == 0);
        CHECK(read(in, text, sizeof text) == 7 && read(in, text, sizeof text) == 0 && close(in) == 0);
    }
    CHECK_FAILS(open("fifo", O_WRONLY | O_NONBLOCK), ENXIO);
    CHECK(unlink("fifo") == 0);
    puts("four meetings");
    return guest_success();
}
