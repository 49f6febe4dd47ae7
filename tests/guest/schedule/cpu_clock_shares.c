// SPDX-License-Identifier: MIT
// Claims: of two threads that take turns, one of which computes ten times as much in each, the clock of that
// one advances more than three times as fast, and the other's, too.
#include <sched.h>
#include "clock.h"

enum { TURNS = 1000, LITTLE = 10000, MUCH = 10 * LITTLE };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int turn;
static int64_t used[2];

static void *takes_turns(void *index)
{
    int me = (int)(intptr_t)index;
    int64_t begin = guest_now(CLOCK_THREAD_CPUTIME_ID);
    for (int i = 0; i < TURNS; i++) {
        CHECK_EQUAL(pthread_mutex_lock(&lock), 0);
        while (turn != me)
            CHECK_EQUAL(pthread_cond_wait(&changed, &lock), 0);
        compute(me == 0 ? MUCH : LITTLE);
        turn = !me;
        CHECK_EQUAL(pthread_cond_signal(&changed), 0);
        CHECK_EQUAL(pthread_mutex_unlock(&lock), 0);
    }
    used[me] = guest_now(CLOCK_THREAD_CPUTIME_ID) - begin;
    return NULL;
}

int main(void)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    CHECK_EQUAL(sched_setaffinity(0, sizeof one, &one),
                0); // natively a wake-up across CPUs costs much of a turn
    guest_threads(2, takes_turns);
    CHECK(used[1] > 0);
    if (used[0] <= 3 * used[1])
        fprintf(stderr, "%lld and %lld\n", (long long)used[0], (long long)used[1]);
    CHECK(used[0] > 3 * used[1]);
    return guest_success();
}
