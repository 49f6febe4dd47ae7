// SPDX-License-Identifier: MIT
// What poll reports for ends, errors and bad descriptors: POLLHUP of a pipe without writers, POLLERR of
// one without readers, POLLNVAL of a closed number, POLLRDHUP of a half-closed socket, POLLHUP of a socket
// closed by both.
#include "io.h"

static void report(const char *what, int fd, short events)
{
    struct pollfd waiting = {.fd = fd, .events = events};
    int result = poll(&waiting, 1, -1);
    printf("%s: %d, %#x\n", what, result, waiting.revents);
}

static void *poller(void *unused)
{
    int fds[2], spare;
    CHECK(pipe(fds) == 0);
    close(fds[1]);
    report("pipe without writers", fds[0], POLLIN);
    report("pipe without writers, no events asked", fds[0], 0);
    report("closed number", fds[1], POLLIN);
    CHECK(pipe(fds) == 0);
    report("writable pipe", fds[1], POLLIN | POLLOUT | POLLPRI);
    CHECK(write(fds[1], "x", 1) == 1);
    report("readable pipe", fds[0], POLLIN | POLLOUT | POLLPRI | POLLRDNORM);
    spare = dup(fds[1]);
    close(fds[0]);
    report("pipe without readers", spare, POLLOUT);
    unix_pair(SOCK_STREAM, fds);
    shutdown(fds[1], SHUT_WR);
    report("unix, peer half closed", fds[0], POLLIN | POLLRDHUP);
    report("unix, peer half closed, not asked", fds[0], POLLIN);
    close(fds[1]);
    report("unix, peer closed", fds[0], POLLIN | POLLOUT | POLLRDHUP);
    tcp_pair(fds);
    report("tcp", fds[0], POLLIN | POLLOUT);
    CHECK(write(fds[1], "x", 1) == 1);
    report("tcp with data", fds[0], POLLIN | POLLRDHUP);
    shutdown(fds[0], SHUT_WR);
    close(fds[1]);
    report("tcp, closed by both", fds[0], 0);
    CHECK(poll(&(struct pollfd){.fd = -1, .events = POLLIN, .revents = 1}, 1, 0) == 0);
    return unused;
}

int main(void)
{
    guest_join(guest_start(poller, NULL));
    return guest_success();
}
