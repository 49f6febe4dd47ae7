// SPDX-License-Identifier: MIT
// Eight threads blocked in read on one pipe: every message goes to exactly one of them, the end to all.
#include "io.h"

enum { READERS = 8, MESSAGES = 4000 };

static int pipe_fd[2];
static atomic_int seen[MESSAGES];
static atomic_int ends;

static void *reader(void *unused)
{
    uint64_t message;
    ssize_t count;
    blocks_next();
    while ((count = read(pipe_fd[0], &message, sizeof message)) == sizeof message)
        atomic_fetch_add(&seen[message], 1);
    CHECK(count == 0);
    atomic_fetch_add(&ends, 1);
    return unused;
}

int main(void)
{
    pthread_t thread[READERS];
    CHECK(pipe(pipe_fd) == 0);
    for (int i = 0; i < READERS; i++)
        thread[i] = guest_start(reader, NULL);
    wait_blocked(READERS);
    for (uint64_t i = 0; i < MESSAGES; i++) {
        CHECK(write(pipe_fd[1], &i, sizeof i) == sizeof i);
        if (i % 100 == 0)
            yield_some(10);
    }
    CHECK(close(pipe_fd[1]) == 0);
    for (int i = 0; i < READERS; i++)
        guest_join(thread[i]);
    for (int i = 0; i < MESSAGES; i++)
        CHECK(seen[i] == 1);
    printf("%d messages, %d ends\n", MESSAGES, ends);
    return guest_success();
}
