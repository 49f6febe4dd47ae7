// SPDX-License-Identifier: MIT
// Fifty threads in a row over pipes: each adds one to every number that passes; all arrive in order.
#include "io.h"

enum { STAGES = 50, NUMBERS = 300 };

static int fds[STAGES + 1][2];

static void *stage(void *argument)
{
    int self = (int)(intptr_t)argument, number;
    ssize_t count;
    while ((count = read(fds[self][0], &number, sizeof number)) == sizeof number) {
        number++;
        CHECK(write(fds[self + 1][1], &number, sizeof number) == sizeof number);
    }
    CHECK(count == 0);
    CHECK(close(fds[self + 1][1]) == 0);
    return NULL;
}

static void *feed(void *unused)
{
    for (int i = 0; i < NUMBERS; i++)
        CHECK(write(fds[0][1], &i, sizeof i) == sizeof i);
    CHECK(close(fds[0][1]) == 0);
    return unused;
}

int main(void)
{
    pthread_t thread[STAGES + 1];
    int number;
    for (int i = 0; i <= STAGES; i++)
        CHECK(pipe(fds[i]) == 0);
    for (int i = 0; i < STAGES; i++)
        thread[i] = guest_start(stage, (void *)(intptr_t)i);
    thread[STAGES] = guest_start(feed, NULL);
    for (int i = 0; i < NUMBERS; i++) {
        read_whole(fds[STAGES][0], &number, sizeof number);
        CHECK(number == i + STAGES);
    }
    CHECK(read(fds[STAGES][0], &number, sizeof number) == 0);
    for (int i = 0; i <= STAGES; i++)
        guest_join(thread[i]);
    printf("last %d\n", NUMBERS - 1 + STAGES);
    return guest_success();
}
