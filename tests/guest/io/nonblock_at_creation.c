// SPDX-License-Identifier: MIT
// Descriptors made non-blocking by pipe2, socketpair, socket, accept4, eventfd and timerfd flags behave
// so, and their number is given to a blocking description later, which blocks.
#include "io.h"
#include <sys/eventfd.h>
#include <sys/timerfd.h>

static void *blocking_reader(void *argument)
{
    uint64_t value;
    blocks_next();
    CHECK(read(*(int *)argument, &value, sizeof value) == sizeof value);
    return NULL;
}

static void never_blocks(const char *kind, int fd)
{
    uint64_t value = 1;
    CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK);
    CHECK_FAILS(read(fd, &value, sizeof value), EAGAIN);
    CHECK(close(fd) == 0);
    static int round;
    int reused = eventfd(0, 0);
    CHECK(reused == fd);
    pthread_t thread = guest_start(blocking_reader, &reused);
    wait_blocked(++round);
    CHECK(write(reused, &value, sizeof value) == sizeof value);
    guest_join(thread);
    CHECK(close(reused) == 0);
    puts(kind);
}

int main(void)
{
    int fds[2];
    struct sockaddr_in address;
    become_threaded();
    CHECK(pipe2(fds, O_NONBLOCK) == 0);
    never_blocks("pipe2", fds[0]);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
    never_blocks("socketpair", fds[0]);
    never_blocks("udp socket", socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0));
    never_blocks("eventfd", eventfd(0, EFD_NONBLOCK));
    never_blocks("timerfd", timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));
    int listener = tcp_listen(1, &address);
    tcp_connect(&address);
    never_blocks("accept4", accept4(listener, NULL, NULL, SOCK_NONBLOCK));
    return guest_success();
}
