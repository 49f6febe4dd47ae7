// SPDX-License-Identifier: MIT
// Linux select writes the remaining time into its timeout: zero after a time-out, less than before but not
// negative after an event. pselect leaves its timespec alone.
#include "io.h"
#include <sys/select.h>

static int fds[2];

static void *selector(void *unused)
{
    struct timeval timeout = {0, 20000};
    struct timespec constant = {0, 20000000};
    fd_set set;
    FD_ZERO(&set);
    FD_SET(fds[0], &set);
    int64_t start = now();
    CHECK(select(fds[0] + 1, &set, NULL, NULL, &timeout) == 0);
    CHECK(now() - start >= 20 * GUEST_MILLISECOND);
    CHECK(timeout.tv_sec == 0 && timeout.tv_usec == 0 && !FD_ISSET(fds[0], &set));

    FD_SET(fds[0], &set);
    start = now();
    CHECK(pselect(fds[0] + 1, &set, NULL, NULL, &constant, NULL) == 0);
    CHECK(now() - start >= 20 * GUEST_MILLISECOND);
    CHECK(constant.tv_sec == 0 && constant.tv_nsec == 20000000 && !FD_ISSET(fds[0], &set));

    timeout = (struct timeval){100, 0};
    FD_SET(fds[0], &set);
    blocks_next();
    CHECK(select(fds[0] + 1, &set, NULL, NULL, &timeout) == 1 && FD_ISSET(fds[0], &set));
    CHECK(timeout.tv_sec < 100 && timeout.tv_sec >= 0);
    CHECK(timeout.tv_usec >= 0 && timeout.tv_usec < 1000000);
    return unused;
}

int main(void)
{
    CHECK(pipe(fds) == 0);
    pthread_t thread = guest_start(selector, NULL);
    wait_blocked(1);
    CHECK(write(fds[1], "x", 1) == 1);
    guest_join(thread);
    puts("remaining time told");
    return guest_success();
}
