// SPDX-License-Identifier: MIT
// dup2 over a pipe's write end while a thread is inside a long write on it: the rest of that write goes to
// the old pipe, whose reader then sees the end; the next write goes to the new one.
#include "io.h"

enum { LENGTH = 1 << 20 };

static int old[2], new[2];
static unsigned char data[LENGTH];

static void *writer(void *unused)
{
    CHECK(write(old[1], data, LENGTH) == LENGTH);
    CHECK(write(old[1], "next", 4) == 4);
    return unused;
}

int main(void)
{
    static unsigned char got[LENGTH];
    pattern_fill(data, LENGTH, 0);
    CHECK(pipe(old) == 0 && pipe(new) == 0);
    pthread_t thread = guest_start(writer, NULL);
    wait_unread(old[0], fcntl(old[0], F_GETPIPE_SZ));
    CHECK(dup2(new[1], old[1]) == old[1]);
    CHECK(unread(new[0]) == 0);
    read_whole(old[0], got, LENGTH);
    pattern_check(got, LENGTH, 0);
    CHECK(read(old[0], got, 1) == 0);
    CHECK(read(new[0], got, 10) == 4 && memcmp(got, "next", 4) == 0);
    guest_join(thread);
    puts("old whole, new next");
    return guest_success();
}
