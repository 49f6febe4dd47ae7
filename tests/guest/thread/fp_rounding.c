// SPDX-License-Identifier: MIT
// Claims: the rounding mode belongs to the thread, for SSE and for x87 arithmetic: it survives yielding and
// blocking beside threads with other modes, and a new thread inherits its creator's.
#include <fenv.h>
#include <sched.h>
#include "guest.h"

#define THREADS 12

static const int modes[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
static pthread_barrier_t meeting;

static void check_mode(int mode)
{
    volatile double one = 1.0, ten = 10.0;
    volatile long double long_one = 1.0L, long_ten = 10.0L;
    double up = 0x1.999999999999ap-4, down = 0x1.9999999999999p-4;
    long double long_up = 0xc.ccccccccccccccdp-7L, long_down = 0xc.cccccccccccccccp-7L;

    CHECK_EQUAL(fegetround(), mode);
    CHECK(one / ten == (mode == FE_UPWARD || mode == FE_TONEAREST ? up : down));
    CHECK(-one / ten == (mode == FE_DOWNWARD || mode == FE_TONEAREST ? -up : -down));
    CHECK(long_one / long_ten == (mode == FE_UPWARD || mode == FE_TONEAREST ? long_up : long_down));
}

static void *inherit(void *mode)
{
    check_mode((int)(intptr_t)mode);
    CHECK_EQUAL(fesetround(FE_TONEAREST), 0);
    return NULL;
}

static void *body(void *index)
{
    int mode = modes[(intptr_t)index % 4];

    check_mode(FE_TONEAREST);
    CHECK_EQUAL(fesetround(mode), 0);
    for (int i = 0; i < 20; i++) {
        check_mode(mode);
        sched_yield();
        check_mode(mode);
        pthread_barrier_wait(&meeting);
    }
    guest_join(guest_start(inherit, (void *)(intptr_t)mode));
    check_mode(mode);
    return NULL;
}

int main(void)
{
    CHECK_EQUAL(pthread_barrier_init(&meeting, NULL, THREADS), 0);
    guest_threads(THREADS, body);
    check_mode(FE_TONEAREST);
    return guest_success();
}
