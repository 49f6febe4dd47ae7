// SPDX-License-Identifier: MIT
// A read from a terminal in raw mode returns with the first byte; with VMIN 4 it waits for four; with
// VTIME alone it returns 0 when nothing came in time; closing the master ends a blocked read.
#include "io.h"
#include <termios.h>

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

static void set_mode(int minimum, int tenths)
{
    struct termios mode;
    CHECK(tcgetattr(slave, &mode) == 0);
    cfmakeraw(&mode);
    mode.c_cc[VMIN] = (cc_t)minimum;
    mode.c_cc[VTIME] = (cc_t)tenths;
    CHECK(tcsetattr(slave, TCSANOW, &mode) == 0);
}

int main(void)
{
    char text[10];
    master = posix_openpt(O_RDWR | O_NOCTTY);
    CHECK(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    CHECK(slave >= 0);

    set_mode(1, 0);
    pthread_t thread = guest_start(reader, (void *)1);
    wait_blocked(1);
    CHECK(write(master, "a", 1) == 1);
    guest_join(thread);

    set_mode(4, 0);
    thread = guest_start(reader, (void *)4);
    wait_blocked(2);
    for (int i = 0; i < 4; i++) {
        CHECK(write(master, "b", 1) == 1);
        yield_some(50);
    }
    guest_join(thread);

    set_mode(0, 1);
    int64_t start = now();
    CHECK(read(slave, text, sizeof text) == 0);
    CHECK(now() - start >= 90 * GUEST_MILLISECOND);

    set_mode(1, 0);
    thread = guest_start(reader, (void *)0);
    wait_blocked(3);
    CHECK(close(master) == 0);
    guest_join(thread);
    puts("1 byte, 4 bytes, timeout, hangup");
    return guest_success();
}
