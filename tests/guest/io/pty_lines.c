// SPDX-License-Identifier: MIT
// A read from a terminal in canonical mode waits for a whole line, gives one line at a time, and 0 for ^D;
// what the slave writes arrives at a blocked master with its line ends translated.
#include "io.h"
#include <termios.h>

static int master, slave;

static void *reader(void *unused)
{
    char line[100];
    for (;;) {
        blocks_next();
        ssize_t count = read(slave, line, sizeof line);
        CHECK(count >= 0);
        printf("slave read %zd: %.*s", count, (int)count, line);
        if (count == 0) {
            putchar('\n');
            return unused;
        }
    }
}

static void *master_reader(void *unused)
{
    char text[100];
    size_t total = 0;
    while (total < 7) {
        ssize_t count = read(master, text + total, sizeof text - total);
        CHECK(count > 0);
        total += (size_t)count;
    }
    CHECK(total == 7 && memcmp(text, "one\r\ntw", 7) == 0);
    return unused;
}

int main(void)
{
    struct termios mode;
    master = posix_openpt(O_RDWR | O_NOCTTY);
    CHECK(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    CHECK(slave >= 0 && tcgetattr(slave, &mode) == 0);
    mode.c_lflag &= ~(tcflag_t)ECHO;
    CHECK(tcsetattr(slave, TCSANOW, &mode) == 0);
    pthread_t thread = guest_start(reader, NULL);
    wait_blocked(1);
    CHECK(write(master, "no line ye", 10) == 10);
    yield_some(200);
    CHECK(write(master, "t\n", 2) == 2);
    wait_blocked(2);
    CHECK(write(master, "first\nsecond\n", 13) == 13);
    wait_blocked(4);
    CHECK(write(master, "\4", 1) == 1);
    guest_join(thread);
    thread = guest_start(master_reader, NULL);
    CHECK(write(slave, "one\ntw", 6) == 6);
    guest_join(thread);
    return guest_success();
}
