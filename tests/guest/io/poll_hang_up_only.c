// SPDX-License-Identifier: MIT
// polls that ask for no event, as for connections that are paused: what can be read does not end them, the
// time-out and a hang-up do, and it costs no CPU time. (GLib polls its inotify descriptor so while it lets
// events gather.)
#include "guest.h"
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

enum { THREADS = 4, ROUNDS = 5, MOST_CPU = 150 /* ms, of 4 * 300 that they wait */ };

static void *hang_up_later(void *fd)
{
    usleep(20000);
    CHECK_EQUAL(close((int)(intptr_t)fd), 0);
    return NULL;
}

static void *poll_them(void *unused)
{
    int pipes[2], pair[2], event = eventfd(1, 0);
    CHECK_EQUAL(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    CHECK_EQUAL(pipe(pipes), 0);
    CHECK(event >= 0);
    CHECK_EQUAL(write(pipes[1], "unread", 6), 6);
    CHECK_EQUAL(write(pair[1], "unread", 6), 6);
    struct pollfd polls[] = {{pipes[0], 0, 0}, {event, 0, 0}, {-1, POLLIN, 0}, {pair[0], 0, 0}};
    struct timespec moment = guest_timespec(30 * GUEST_MILLISECOND);
    for (int round = 0; round < ROUNDS; round++) {
        int64_t begin = guest_now(CLOCK_MONOTONIC);
        CHECK_EQUAL(poll(polls, 4, 30), 0);
        CHECK_EQUAL(ppoll(polls, 4, &moment, NULL), 0);
        CHECK(guest_now(CLOCK_MONOTONIC) - begin >= 60 * GUEST_MILLISECOND);
    }
    CHECK(guest_now(CLOCK_PROCESS_CPUTIME_ID) < MOST_CPU * GUEST_MILLISECOND);
    pthread_t closer = guest_start(hang_up_later, (void *)(intptr_t)pipes[1]);
    CHECK_EQUAL(poll(polls, 4, -1), 1);
    CHECK_EQUAL(polls[0].revents, POLLHUP);
    guest_join(closer);
    closer = guest_start(hang_up_later, (void *)(intptr_t)pair[1]);
    CHECK_EQUAL(ppoll(&polls[1], 3, NULL, NULL), 1);
    CHECK_EQUAL(polls[3].revents, POLLHUP);
    guest_join(closer);
    close(pipes[0]);
    close(pair[0]);
    close(event);
    return unused;
}

int main(void)
{
    CHECK_EQUAL(guest_threads(THREADS, poll_them), 0 + 1 + 2 + 3);
    return guest_success();
}
