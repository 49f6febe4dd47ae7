// SPDX-License-Identifier: MIT
// select waits for its read and write sets, leaves in them only what is ready and returns their total; the
// except set and descriptors above 63 work too.
#include "io.h"
#include <sys/select.h>

static int low[2], high[2], full[2];

static void *selector(void *unused)
{
    fd_set readable, writable, except;
    char byte;
    for (int round = 0; round < 3; round++) {
        FD_ZERO(&readable);
        FD_ZERO(&writable);
        FD_ZERO(&except);
        FD_SET(low[0], &readable);
        FD_SET(high[0], &readable);
        FD_SET(full[1], &writable);
        FD_SET(low[0], &except);
        blocks_next();
        int count = select(high[0] + 1, &readable, &writable, &except, NULL);
        printf("%d: low %d, high %d, room %d, except %d\n", count, FD_ISSET(low[0], &readable) != 0,
               FD_ISSET(high[0], &readable) != 0, FD_ISSET(full[1], &writable) != 0,
               FD_ISSET(low[0], &except) != 0);
        if (FD_ISSET(low[0], &readable))
            CHECK(read(low[0], &byte, 1) == 1);
        if (FD_ISSET(high[0], &readable))
            CHECK(read(high[0], &byte, 1) == 1);
    }
    FD_ZERO(&writable);
    FD_SET(full[1], &readable);
    FD_SET(full[1], &writable);
    CHECK(select(full[1] + 1, NULL, &writable, NULL, NULL) == 1);
    return unused;
}

int main(void)
{
    static char data[1 << 20];
    int fds[2];
    CHECK(pipe(low) == 0 && pipe(full) == 0);
    unix_pair(SOCK_STREAM, fds);
    high[0] = dup2(fds[0], 200);
    high[1] = fds[1];
    size_t filled = fill_up(full[1]);
    pthread_t thread = guest_start(selector, NULL);
    wait_blocked(1);
    CHECK(write(low[1], "x", 1) == 1);
    wait_blocked(2);
    CHECK(write(high[1], "x", 1) == 1);
    wait_blocked(3);
    read_whole(full[0], data, filled);
    guest_join(thread);
    return guest_success();
}
