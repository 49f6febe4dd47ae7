// SPDX-License-Identifier: MIT
// A write to a terminal that takes no more ends by a handler: with what it has written, or, when that is
// nothing, with EINTR. Undisturbed it writes everything.
#include "handler.h"
#include "pty.h"

enum { LONG = 300000 };

static int master, slave;
static char text[LONG], got[LONG];
static atomic_int returned;

static void *writer(void *result)
{
    returned = 0;
    blocks_next();
    *(ssize_t *)result = write(slave, text, sizeof text);
    if (*(ssize_t *)result < 0)
        CHECK_EQUAL(errno, EINTR);
    returned = 1;
    return NULL;
}

int main(void)
{
    ssize_t first, second;
    alarm(30);
    pty_open(&master, &slave);
    pty_raw(slave, 1, 0);
    handler_install(SIGUSR1, 0);
    pthread_t thread = guest_start(writer, &first);
    wait_blocked(1);
    signal_until(thread, &returned);
    guest_join(thread);
    CHECK(first == -1 || (first > 0 && first < LONG));

    thread = guest_start(writer, &second);
    wait_blocked(2);
    signal_until(thread, &returned);
    guest_join(thread);
    CHECK(second == -1 || (second > 0 && second < LONG));
    if (first > 0)
        read_whole(master, got, (size_t)first);
    if (second > 0)
        read_whole(master, got, (size_t)second);

    thread = guest_start(writer, &first);
    read_whole(master, got, LONG);
    guest_join(thread);
    CHECK_EQUAL(first, LONG);
    return guest_success();
}
