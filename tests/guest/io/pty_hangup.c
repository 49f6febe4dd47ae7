// SPDX-License-Identifier: MIT
// Who waits in read for a terminal when its master is closed gets EIO; who comes later gets the end, as for
// ^D.
#include "pty.h"

enum { ATTEMPTS = 200 };

static int master, slave;

/* Returns the error, 0 at the end. */
static void *reader(void *unused)
{
    char text[10];
    (void)unused;
    blocks_next();
    ssize_t count = read(slave, text, sizeof text);
    CHECK(count == 0 || count == -1);
    return (void *)(intptr_t)(count == 0 ? 0 : errno);
}

int main(void)
{
    char text[10];
    int waits = 0;
    intptr_t error = 0;
    alarm(30);
    pty_open(&master, &slave);
    pthread_t thread = guest_start(reader, NULL);
    wait_blocked(++waits);
    CHECK(write(master, "\4", 1) == 1);
    CHECK(guest_join(thread) == NULL);
    /* One that comes too late gets the end. */
    for (int i = 0; i < ATTEMPTS && error == 0; i++) {
        pty_open(&master, &slave);
        thread = guest_start(reader, NULL);
        wait_blocked(++waits);
        CHECK(close(master) == 0);
        error = (intptr_t)guest_join(thread);
        CHECK_EQUAL(read(slave, text, sizeof text), 0);
        CHECK(close(slave) == 0);
    }
    CHECK_EQUAL(error, EIO);
    return guest_success();
}
