// SPDX-License-Identifier: MIT
// Claims: sleeping threads sleep at the same time: 200 of them that sleep 50 ms each take less than a fifth
// of the sum.
#include "guest.h"

#define THREADS 200

static void *body(void *index)
{
    CHECK_EQUAL(usleep(50000), 0);
    return index;
}

int main(void)
{
    int64_t start = guest_now(CLOCK_MONOTONIC);
    guest_threads(THREADS, body);
    int64_t elapsed = guest_now(CLOCK_MONOTONIC) - start;
    CHECK(elapsed >= 50 * GUEST_MILLISECOND);
    CHECK(elapsed < THREADS * 50 * GUEST_MILLISECOND / 5);
    return guest_success();
}
