// SPDX-License-Identifier: MIT
// poll with nothing ready: 0 returns at once, a positive timeout not before its time, with and without
// descriptors, in several threads with different timeouts; ppoll's timespec the same, and it is left as it
// was.
#include "io.h"

static int fds[2];

static void *waiter(void *argument)
{
    int milliseconds = 10 + 10 * (int)(intptr_t)argument;
    struct pollfd waiting = {.fd = fds[0], .events = POLLIN, .revents = 77};
    struct timespec timeout = {0, milliseconds * GUEST_MILLISECOND};
    int64_t start = now();
    CHECK(poll(&waiting, 1, 0) == 0 && waiting.revents == 0);
    CHECK(poll(&waiting, 1, milliseconds) == 0 && waiting.revents == 0);
    CHECK(now() - start >= milliseconds * GUEST_MILLISECOND);
    start = now();
    CHECK(poll(NULL, 0, milliseconds) == 0);
    CHECK(now() - start >= milliseconds * GUEST_MILLISECOND);
    start = now();
    CHECK(ppoll(&waiting, 1, &timeout, NULL) == 0);
    CHECK(now() - start >= milliseconds * GUEST_MILLISECOND);
    CHECK(timeout.tv_sec == 0 && timeout.tv_nsec == milliseconds * GUEST_MILLISECOND);
    return argument;
}

int main(void)
{
    struct timespec zero = {0, 0};
    CHECK(pipe(fds) == 0);
    printf("sum %ld\n", (long)guest_threads(5, waiter));
    CHECK(ppoll(NULL, 0, &zero, NULL) == 0);
    return guest_success();
}
