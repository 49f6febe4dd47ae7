// SPDX-License-Identifier: MIT
// A read from a terminal in raw mode returns with the first byte; with VMIN 4 it waits for four; with
// VTIME alone it returns 0 when nothing came in time; closing the master ends a blocked read.
#include "pty.h"

static int master, slave;

static void *reader(void *argument)
{
    char text[10];
    int expected = (int)(intptr_t)argument;
    blocks_next();
    ssize_t count = read(slave, text, sizeof text);
    CHECK(count == expected || (expected == 0 && count == -1 && errno == EIO));
    return NULL;
}

int main(void)
{
    char text[10];
    pty_open(&master, &slave);

    pty_raw(slave, 1, 0);
    pthread_t thread = guest_start(reader, (void *)1);
    wait_blocked(1);
    CHECK(write(master, "a", 1) == 1);
    guest_join(thread);

    pty_raw(slave, 4, 0);
    thread = guest_start(reader, (void *)4);
    wait_blocked(2);
    for (int i = 0; i < 4; i++) {
        CHECK(write(master, "b", 1) == 1);
        yield_some(50);
    }
    guest_join(thread);

    pty_raw(slave, 0, 1);
    int64_t start = now();
    CHECK(read(slave, text, sizeof text) == 0);
    CHECK(now() - start >= 90 * GUEST_MILLISECOND);

    pty_raw(slave, 1, 0);
    thread = guest_start(reader, (void *)0);
    wait_blocked(3);
    CHECK(close(master) == 0);
    guest_join(thread);
    puts("1 byte, 4 bytes, timeout, hangup");
    return guest_success();
}
