// SPDX-License-Identifier: MIT
// A thread cancelled while blocked in fgets leaves its stream unlocked: another thread can use it.
#include "io.h"

static FILE *in;

static void *reader(void *unused)
{
    char line[100];
    blocks_next();
    CHECK(!fgets(line, sizeof line, in) && !"the call returned");
    return unused;
}

static void *next_reader(void *unused)
{
    char line[100];
    CHECK(fgets(line, sizeof line, in) && strcmp(line, "line\n") == 0);
    return unused;
}

int main(void)
{
    int fds[2];
    CHECK(pipe(fds) == 0);
    in = fdopen(fds[0], "r");
    pthread_t thread = guest_start(reader, NULL);
    wait_blocked(1);
    CHECK(pthread_cancel(thread) == 0);
    CHECK(guest_join(thread) == PTHREAD_CANCELED);
    CHECK(write(fds[1], "line\n", 5) == 5);
    guest_join(guest_start(next_reader, NULL));
    puts("the stream is free");
    return guest_success();
}
