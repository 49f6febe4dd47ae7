// SPDX-License-Identifier: MIT
// Claims: the clock of a thread that has computed for long without a call advances while others look at it;
// theirs, who sleep meanwhile, do not.
#include <stdatomic.h>
#include "clock.h"

static atomic_bool begun, enough;

static void *computes(void *argument)
{
    (void)argument;
    atomic_store(&begun, 1);
    while (!atomic_load(&enough))
        compute(1000);
    return NULL;
}

int main(void)
{
    struct timespec pause = {0, GUEST_MILLISECOND};
    pthread_t hog = guest_start(computes, NULL);
    while (!atomic_load(&begun))
        CHECK_EQUAL(nanosleep(&pause, NULL), 0);
    for (int i = 0; i < 10; i++)
        CHECK_EQUAL(nanosleep(&pause, NULL), 0);
    int64_t first = guest_now(clock_of(hog)), mine = guest_now(CLOCK_THREAD_CPUTIME_ID), last = first,
            rounds = 0;
    for (; last - first < 50 * GUEST_MILLISECOND; rounds++) {
        CHECK_EQUAL(nanosleep(&pause, NULL), 0);
        int64_t now = guest_now(clock_of(hog));
        CHECK(now >= last);
        last = now;
    }
    CHECK(guest_now(CLOCK_THREAD_CPUTIME_ID) - mine < (last - first) / 2);
    atomic_store(&enough, 1);
    guest_join(hog);
    return guest_success();
}
