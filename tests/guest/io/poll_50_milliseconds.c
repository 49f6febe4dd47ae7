// SPDX-License-Identifier: MIT
// poll(..., 50) takes at least 50 ms by the monotonic clock, each time, in 20 threads.
#include "io.h"

static void *waiter(void *argument)
{
    int fds[2];
    CHECK(pipe(fds) == 0);
    struct pollfd waiting = {.fd = fds[0], .events = POLLIN};
    for (int i = 0; i < 3; i++) {
        int64_t start = now();
        CHECK(poll(&waiting, 1, 50) == 0);
        CHECK(now() - start >= 50 * GUEST_MILLISECOND);
        CHECK(now() - start < 5 * GUEST_SECOND);
    }
    return argument;
}

int main(void)
{
    printf("%ld\n", (long)guest_threads(20, waiter));
    return guest_success();
}
