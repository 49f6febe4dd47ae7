// SPDX-License-Identifier: MIT
// With O_NONBLOCK a write to a full pipe, socket or eventfd gives EAGAIN; a long write gives a partial
// count; a write of at most PIPE_BUF to a pipe with less room writes nothing.
#include "io.h"
#include <sys/eventfd.h>

static char data[16 << 20];

static void *write_full(void *argument)
{
    int *fds = argument;
    ssize_t count;
    CHECK(fcntl(fds[1], F_SETFL, O_NONBLOCK) == 0);
    count = write(fds[1], data, sizeof data);
    CHECK(count > 0 && count < (ssize_t)sizeof data);
    while ((count = write(fds[1], data, sizeof data)) > 0)
        ; /* TCP buffers may have grown */
    CHECK(count == -1 && errno == EAGAIN);
    CHECK_FAILS(writev(fds[1], &(struct iovec){data, 10}, 1), EAGAIN);
    return NULL;
}

static void *write_pipe(void *argument)
{
    int *fds = argument;
    int capacity = fcntl(fds[1], F_GETPIPE_SZ);
    CHECK(fcntl(fds[1], F_SETFL, O_NONBLOCK) == 0);
    for (int i = 0; i < capacity / 4096 - 2; i++)
        CHECK(write(fds[1], data, 4096) == 4096);
    CHECK(write(fds[1], data, 10000) == 8192);
    CHECK_FAILS(write(fds[1], data, 1), EAGAIN);
    CHECK(read(fds[0], data, 4095) == 4095);
    CHECK_FAILS(write(fds[1], data, 4096), EAGAIN);
    CHECK(read(fds[0], data, 1) == 1);
    CHECK(write(fds[1], data, 4096) == 4096);
    return NULL;
}

static void *write_eventfd(void *unused)
{
    uint64_t value = UINT64_MAX - 1;
    int event = eventfd(0, EFD_NONBLOCK);
    CHECK(write(event, &value, sizeof value) == sizeof value);
    value = 1;
    CHECK_FAILS(write(event, &value, sizeof value), EAGAIN);
    return unused;
}

int main(void)
{
    int fds[2];
    CHECK(pipe(fds) == 0);
    guest_join(guest_start(write_pipe, fds));
    CHECK(pipe(fds) == 0);
    guest_join(guest_start(write_full, fds));
    tcp_pair(fds);
    guest_join(guest_start(write_full, fds));
    unix_pair(SOCK_STREAM, fds);
    guest_join(guest_start(write_full, fds));
    guest_join(guest_start(write_eventfd, NULL));
    puts("pipe, tcp, unix stream, eventfd");
    return guest_success();
}
