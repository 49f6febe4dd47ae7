// SPDX-License-Identifier: MIT
// Claims: no sleep is short, whatever call and clock: nanosleep, usleep, clock_nanosleep relative and
// absolute; a time in the past returns at once, a malformed one is EINVAL.
#include "guest.h"

#define THREADS 10

static void sleep_once(int way, int64_t delay)
{
    clockid_t clock = way == 3 || way == 5 ? CLOCK_REALTIME : CLOCK_MONOTONIC;
    int64_t deadline = guest_now(clock) + delay;
    struct timespec relative = guest_timespec(delay), absolute = guest_timespec(deadline), left = {9, 9};

    switch (way) {
    case 0:
        CHECK_EQUAL(nanosleep(&relative, &left), 0);
        CHECK(left.tv_sec == 9 && left.tv_nsec == 9);
        break;
    case 1:
        CHECK_EQUAL(usleep((useconds_t)(delay / 1000)), 0);
        break;
    case 2:
    case 3:
        CHECK_EQUAL(clock_nanosleep(clock, 0, &relative, &left), 0);
        break;
    default:
        CHECK_EQUAL(clock_nanosleep(clock, TIMER_ABSTIME, &absolute, NULL), 0);
    }
    CHECK(guest_now(clock) >= deadline);
}

static void *body(void *index)
{
    for (int way = 0; way < 6; way++) {
        sleep_once(way, 0);
        sleep_once(way, 1000);
        sleep_once(way, (1 + (intptr_t)index) * GUEST_MILLISECOND);
    }
    return (void *)6;
}

int main(void)
{
    struct timespec past = {1, 0}, malformed = {0, 1000000000}, negative = {-1, 0};

    printf("slept: %ld\n", (long)guest_threads(THREADS, body));
    CHECK_EQUAL(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &past, NULL), 0);
    CHECK_EQUAL(clock_nanosleep(CLOCK_MONOTONIC, 0, &malformed, NULL), EINVAL);
    CHECK_EQUAL(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &past, NULL), EINVAL);
    CHECK(nanosleep(&malformed, NULL) == -1 && errno == EINVAL);
    CHECK(nanosleep(&negative, NULL) == -1 && errno == EINVAL);
    return guest_success();
}
