// SPDX-License-Identifier: MIT
// Four threads blocked in recv on one UDP socket: every datagram goes to exactly one of them.
#include "io.h"

enum { READERS = 4, MESSAGES = 400 };

static int fds[2];
static atomic_int seen[MESSAGES], received;

static void *reader(void *unused)
{
    for (;;) {
        int message;
        blocks_next();
        CHECK(recv(fds[0], &message, sizeof message, 0) == sizeof message);
        if (message < 0)
            return unused;
        atomic_fetch_add(&seen[message], 1);
        atomic_fetch_add(&received, 1);
    }
}

int main(void)
{
    pthread_t thread[READERS];
    int stop = -1;
    udp_pair(fds);
    for (int i = 0; i < READERS; i++)
        thread[i] = guest_start(reader, NULL);
    for (int i = 0; i < MESSAGES; i++) {
        if (i % 16 == 0)
            wait_blocked(READERS + i); /* all that was sent has been received: the queue cannot overflow */
        CHECK(send(fds[1], &i, sizeof i, 0) == sizeof i);
    }
    for (int i = 0; i < READERS; i++)
        CHECK(send(fds[1], &stop, sizeof stop, 0) == sizeof stop);
    for (int i = 0; i < READERS; i++)
        guest_join(thread[i]);
    for (int i = 0; i < MESSAGES; i++)
        CHECK(seen[i] == 1);
    printf("%d datagrams\n", received);
    return guest_success();
}
