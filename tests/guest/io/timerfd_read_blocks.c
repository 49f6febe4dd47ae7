// SPDX-License-Identifier: MIT
// A read of a timerfd waits for its expiry, never returns early, counts the periods that were missed, and
// wakes when another thread arms a timer that was not set.
#include "io.h"
#include <sys/timerfd.h>

static int timer;

static void *reader(void *unused)
{
    uint64_t count;
    blocks_next();
    CHECK(read(timer, &count, sizeof count) == sizeof count && count == 1);
    puts("the timer was armed by another thread");
    return unused;
}

int main(void)
{
    struct itimerspec once = {{0, 0}, {0, 20000000}}, soon = {{0, 0}, {0, 1}},
                      periodic = {{0, 2000000}, {0, 2000000}};
    uint64_t count, total = 0;
    timer = timerfd_create(CLOCK_MONOTONIC, 0);
    pthread_t thread = guest_start(reader, NULL);
    wait_blocked(1);
    CHECK(timerfd_settime(timer, 0, &soon, NULL) == 0);
    guest_join(thread);

    int64_t start = now();
    CHECK(timerfd_settime(timer, 0, &once, NULL) == 0);
    CHECK(read(timer, &count, sizeof count) == sizeof count && count == 1);
    CHECK(now() - start >= 20 * GUEST_MILLISECOND);

    start = now();
    CHECK(timerfd_settime(timer, 0, &periodic, NULL) == 0);
    while (total < 10) {
        CHECK(read(timer, &count, sizeof count) == sizeof count && count >= 1);
        total += count;
        CHECK(now() - start >= 2 * GUEST_MILLISECOND * (int64_t)total);
    }
    puts("10 periods");
    return guest_success();
}
