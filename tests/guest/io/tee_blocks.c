// SPDX-License-Identifier: MIT
// tee waits for data in an empty pipe and leaves it there: what a thread copies to a second pipe is read
// from both; vmsplice waits for room.
#include "io.h"

enum { LENGTH = 500000 };

static int source[2], copy[2];
static unsigned char data[LENGTH];

static void *copier(void *unused)
{
    static unsigned char piece[65536];
    size_t total = 0;
    for (;;) {
        ssize_t count = tee(source[0], copy[1], sizeof piece, 0);
        CHECK(count >= 0);
        if (count == 0)
            break;
        read_whole(source[0], piece, (size_t)count);
        pattern_check(piece, (size_t)count, total);
        total += (size_t)count;
    }
    CHECK(total == LENGTH);
    CHECK(close(copy[1]) == 0);
    return unused;
}

static void *writer(void *unused)
{
    for (size_t at = 0; at < LENGTH;) {
        struct iovec piece = {data + at, LENGTH - at};
        ssize_t count = vmsplice(source[1], &piece, 1, 0);
        CHECK(count > 0);
        at += (size_t)count;
    }
    CHECK(close(source[1]) == 0);
    return unused;
}

int main(void)
{
    static unsigned char got[LENGTH];
    pattern_fill(data, LENGTH, 0);
    CHECK(pipe(source) == 0 && pipe(copy) == 0);
    CHECK_FAILS(tee(source[0], copy[1], 10, SPLICE_F_NONBLOCK), EAGAIN);
    pthread_t a = guest_start(copier, NULL), b = guest_start(writer, NULL);
    read_whole(copy[0], got, LENGTH);
    pattern_check(got, LENGTH, 0);
    CHECK(read(copy[0], got, 1) == 0);
    guest_join(a);
    guest_join(b);
    printf("%d bytes, twice\n", LENGTH);
    return guest_success();
}
