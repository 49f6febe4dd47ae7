// SPDX-License-Identifier: MIT
// SO_SNDTIMEO ends a write that nobody reads with the partial count, not before its time, and the next one
// with EAGAIN, on TCP and Unix streams; what was counted is what the reader finds.
#include "io.h"

static int fds[2];
static unsigned char data[16 << 20];

static void *writer(void *argument)
{
    ssize_t *total = argument, count;
    int64_t start = now();
    count = write(fds[1], data, sizeof data);
    CHECK(count > 0 && count < (ssize_t)sizeof data);
    CHECK(now() - start >= 50 * GUEST_MILLISECOND);
    *total = count;
    start = now();
    while ((count = send(fds[1], data + *total, sizeof data - (size_t)*total, 0)) > 0)
        *total += count; /* TCP buffers may have grown */
    CHECK(count == -1 && errno == EAGAIN);
    CHECK(now() - start >= 50 * GUEST_MILLISECOND);
    return NULL;
}

static void time_out(const char *kind)
{
    static unsigned char piece[65536];
    ssize_t total = 0, count, at = 0;
    set_timeout(fds[1], SO_SNDTIMEO, 50);
    guest_join(guest_start(writer, &total));
    CHECK(close(fds[1]) == 0);
    while ((count = read(fds[0], piece, sizeof piece)) > 0) {
        pattern_check(piece, (size_t)count, (size_t)at);
        at += count;
    }
    CHECK(count == 0 && at == total);
    puts(kind);
}

int main(void)
{
    pattern_fill(data, sizeof data, 0);
    tcp_pair(fds);
    time_out("tcp");
    unix_pair(SOCK_STREAM, fds);
    time_out("unix stream");
    return guest_success();
}
