// SPDX-License-Identifier: MIT
// A pipe's write end is closed under a blocked writer and its number given to another pipe that is full as
// well: each writer fills its own pipe.
#include "io.h"

enum { LENGTH = 300000 };

static int old[2], new[2];
static unsigned char data[2 * LENGTH];

static void *old_writer(void *unused)
{
    CHECK(write(old[1], data, LENGTH) == LENGTH);
    return unused;
}

static void *new_writer(void *unused)
{
    CHECK(write(new[1], data + LENGTH, LENGTH) == LENGTH);
    CHECK(close(new[1]) == 0);
    return unused;
}

int main(void)
{
    static unsigned char got[LENGTH];
    int spare[2];
    pattern_fill(data, sizeof data, 0);
    CHECK(pipe(old) == 0);
    pthread_t first = guest_start(old_writer, NULL);
    wait_unread(old[0], fcntl(old[0], F_GETPIPE_SZ));
    CHECK(pipe(spare) == 0);
    CHECK(close(old[1]) == 0);
    new[0] = spare[0];
    new[1] = dup(spare[1]);
    CHECK(new[1] == old[1]);
    CHECK(close(spare[1]) == 0);
    pthread_t second = guest_start(new_writer, NULL);
    wait_unread(new[0], fcntl(new[0], F_GETPIPE_SZ));
    read_whole(new[0], got, LENGTH);
    pattern_check(got, LENGTH, LENGTH);
    read_whole(old[0], got, LENGTH);
    pattern_check(got, LENGTH, 0);
    CHECK(read(old[0], got, 1) == 0);
    CHECK(read(new[0], got, 1) == 0);
    guest_join(first);
    guest_join(second);
    puts("each pipe has its own data");
    return guest_success();
}
