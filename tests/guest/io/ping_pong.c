// SPDX-License-Identifier: MIT
// Two threads hand one message to and fro over a socketpair 10,000 times.
#include "io.h"

enum { ROUNDS = 10000 };

static int fds[2];

static void *pong(void *unused)
{
    for (int i = 0; i < ROUNDS; i++) {
        int number;
        CHECK(read(fds[1], &number, sizeof number) == sizeof number && number == 2 * i);
        number++;
        CHECK(write(fds[1], &number, sizeof number) == sizeof number);
    }
    return unused;
}

int main(void)
{
    int number = 0;
    unix_pair(SOCK_STREAM, fds);
    pthread_t thread = guest_start(pong, NULL);
    for (int i = 0; i < ROUNDS; i++, number++) {
        CHECK(write(fds[0], &number, sizeof number) == sizeof number);
        CHECK(read(fds[0], &number, sizeof number) == sizeof number && number == 2 * i + 1);
    }
    guest_join(thread);
    printf("%d\n", number);
    return guest_success();
}
