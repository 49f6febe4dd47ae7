// SPDX-License-Identifier: MIT
// Threads blocked in read on a descriptor and on dups of it share one description: each message goes to
// one, and closing one of the numbers leaves the others working.
#include "io.h"

enum { READERS = 4, MESSAGES = 1000 };

static int fds[2], copies[READERS];
static atomic_int seen[MESSAGES];

static void *reader(void *argument)
{
    int message, self = (int)(intptr_t)argument;
    blocks_next();
    while (read(copies[self], &message, sizeof message) == sizeof message)
        if (message >= 0)
            atomic_fetch_add(&seen[message], 1);
        else if (message == -1)
            break;
    return NULL;
}

static void share(const char *kind, int round)
{
    pthread_t thread[READERS];
    int stop = -1;
    for (int i = 0; i < READERS; i++)
        copies[i] = i == 0 ? fds[0] : dup(fds[0]);
    for (int i = 0; i < READERS; i++)
        thread[i] = guest_start(reader, (void *)(intptr_t)i);
    wait_blocked(round * READERS);
    for (int i = 0; i < MESSAGES; i++) {
        CHECK(write(fds[1], &i, sizeof i) == sizeof i);
        if (i % 50 == 0)
            yield_some(10);
    }
    for (int i = 0; i < READERS; i++)
        CHECK(write(fds[1], &stop, sizeof stop) == sizeof stop);
    for (int i = 0; i < READERS; i++)
        guest_join(thread[i]);
    for (int i = 0; i < MESSAGES; i++)
        CHECK(atomic_exchange(&seen[i], 0) == 1);
    CHECK(close(copies[0]) == 0);
    CHECK(write(fds[1], &stop, sizeof stop) == sizeof stop);
    for (int i = 1; i < READERS; i++)
        CHECK(poll(&(struct pollfd){.fd = copies[i], .events = POLLIN}, 1, 0) == 1);
    puts(kind);
}

int main(void)
{
    CHECK(pipe(fds) == 0);
    share("pipe", 1);
    unix_pair(SOCK_SEQPACKET, fds);
    share("seqpacket", 2);
    return guest_success();
}
