// SPDX-License-Identifier: MIT
// A poll on several descriptors with no timeout or a long one is woken by another thread's write to any
// one of them, and reports that one alone; POLLOUT waits for room.
#include "io.h"

enum { COUNT = 5 };

static int in[COUNT], out[COUNT];

static void *poller(void *unused)
{
    for (int round = 0; round < 2 * COUNT; round++) {
        struct pollfd waiting[COUNT];
        char byte;
        for (int i = 0; i < COUNT; i++)
            waiting[i] = (struct pollfd){.fd = in[i], .events = POLLIN};
        blocks_next();
        CHECK(poll(waiting, COUNT, round < COUNT ? -1 : 10000) == 1);
        for (int i = 0; i < COUNT; i++)
            CHECK(waiting[i].revents == (i == round % COUNT ? POLLIN : 0));
        CHECK(read(in[round % COUNT], &byte, 1) == 1);
    }
    return unused;
}

static void *room(void *argument)
{
    struct pollfd waiting = {.fd = *(int *)argument, .events = POLLOUT};
    blocks_next();
    CHECK(poll(&waiting, 1, -1) == 1 && waiting.revents == POLLOUT);
    return NULL;
}

int main(void)
{
    static char data[1 << 20];
    for (int i = 0; i < COUNT; i++) {
        int fds[2];
        if (i == 0)
            CHECK(pipe(fds) == 0);
        else if (i == 1)
            tcp_pair(fds);
        else if (i == 2)
            udp_pair(fds);
        else
            unix_pair(i == 3 ? SOCK_STREAM : SOCK_SEQPACKET, fds);
        in[i] = fds[0];
        out[i] = fds[1];
    }
    pthread_t thread = guest_start(poller, NULL);
    for (int round = 0; round < 2 * COUNT; round++) {
        wait_blocked(round + 1);
        CHECK(write(out[round % COUNT], "x", 1) == 1);
    }
    guest_join(thread);
    size_t filled = fill_up(out[0]);
    thread = guest_start(room, &out[0]);
    wait_blocked(2 * COUNT + 1);
    read_whole(in[0], data, filled);
    guest_join(thread);
    puts("each one, and room");
    return guest_success();
}
