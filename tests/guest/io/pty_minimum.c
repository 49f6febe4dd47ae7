// SPDX-License-Identifier: MIT
// A terminal in raw mode: with VMIN 0 a read returns at once, with 0 when nothing is there; with VMIN 3 one
// that asks for one byte gets the one that is there. What a reader has of VMIN bytes it keeps when a signal
// or a hang-up ends the read.
#include "handler.h"
#include "pty.h"

static int master, slave;
static atomic_int returned;

static void *reader(void *unused)
{
    char text[10];
    CHECK_EQUAL(read(slave, text, sizeof text), 2);
    CHECK(memcmp(text, "ab", 2) == 0);
    returned = 1;
    return unused;
}

/* A reader that has two of its five bytes. */
static pthread_t start_reader(void)
{
    pty_open(&master, &slave);
    pty_raw(slave, 5, 0);
    CHECK(write(master, "ab", 2) == 2);
    wait_unread(slave, 2);
    pthread_t thread = guest_start(reader, NULL);
    wait_unread(slave, 0);
    return thread;
}

int main(void)
{
    char text[10];
    pthread_t thread;
    alarm(20);
    become_threaded();
    pty_open(&master, &slave);
    pty_raw(slave, 0, 0);
    CHECK_EQUAL(read(slave, text, sizeof text), 0);
    CHECK(write(master, "ab", 2) == 2);
    wait_unread(slave, 2);
    CHECK_EQUAL(read(slave, text, sizeof text), 2);
    pty_raw(slave, 3, 0);
    CHECK(write(master, "c", 1) == 1);
    wait_unread(slave, 1);
    CHECK_EQUAL(read(slave, text, 1), 1);
    CHECK(text[0] == 'c');

    handler_install(SIGUSR1, 0);
    thread = start_reader();
    signal_until(thread, &returned);
    guest_join(thread);
    thread = start_reader();
    CHECK(close(master) == 0);
    guest_join(thread);
    return guest_success();
}
