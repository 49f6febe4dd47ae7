// SPDX-License-Identifier: MIT
// Claims: the clock of a thread that computes between sleeps counts each computation, while others want to
// run.
#include <stdatomic.h>
#include "clock.h"

enum { BURSTS = 30, STEPS = 10000000 }; // ten million multiplications, each of the last result

static atomic_bool enough;

static void *yields(void *argument)
{
    while (!atomic_load(&enough))
        sched_yield();
    return argument;
}

int main(void)
{
    pthread_t other = guest_start(yields, NULL);
    for (int i = 0; i < BURSTS; i++) {
        int64_t before = guest_now(CLOCK_THREAD_CPUTIME_ID);
        compute(STEPS);
        // No machine does one in less than 0.3 ns.
        CHECK(guest_now(CLOCK_THREAD_CPUTIME_ID) - before >= 3 * GUEST_MILLISECOND);
        usleep(1000);
    }
    atomic_store(&enough, 1);
    guest_join(other);
    return guest_success();
}
