// SPDX-License-Identifier: MIT
// read and write of no bytes return at once and change nothing on pipes and stream sockets; on a TCP
// socket recv of no bytes, unlike read, waits for data; eventfd and timerfd say EINVAL.
#include "io.h"
#include <sys/eventfd.h>
#include <sys/timerfd.h>

static int fds[2];

static void *zero_reader(void *unused)
{
    char byte;
    blocks_next();
    CHECK(recv(fds[0], &byte, 0, 0) == 0);
    CHECK(unread(fds[0]) == 1);
    return unused;
}

static void no_bytes(const char *kind, int in, int out)
{
    char byte;
    CHECK(read(in, &byte, 0) == 0);
    CHECK(readv(in, &(struct iovec){&byte, 0}, 1) == 0);
    CHECK(write(out, &byte, 0) == 0);
    CHECK(writev(out, &(struct iovec){&byte, 0}, 1) == 0);
    CHECK(unread(in) == 0);
    CHECK(write(out, "x", 1) == 1);
    CHECK(read(in, &byte, 0) == 0);
    CHECK(read(in, &byte, 1) == 1 && byte == 'x');
    printf("%s: nothing read, nothing written\n", kind);
}

int main(void)
{
    become_threaded();
    CHECK(pipe(fds) == 0);
    no_bytes("pipe", fds[0], fds[1]);
    unix_pair(SOCK_STREAM, fds);
    no_bytes("unix stream", fds[0], fds[1]);
    tcp_pair(fds);
    no_bytes("tcp", fds[0], fds[1]);
    pthread_t thread = guest_start(zero_reader, NULL);
    wait_blocked(1);
    CHECK(write(fds[1], "y", 1) == 1);
    guest_join(thread);
    int event = eventfd(0, 0), timer = timerfd_create(CLOCK_MONOTONIC, 0);
    uint64_t value = 0;
    CHECK_FAILS(read(event, &value, 0), EINVAL);
    CHECK_FAILS(read(event, &value, 7), EINVAL);
    CHECK_FAILS(write(event, &value, 0), EINVAL);
    CHECK_FAILS(read(timer, &value, 7), EINVAL);
    return guest_success();
}
