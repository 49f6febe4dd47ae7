// SPDX-License-Identifier: MIT
// Claims: tryjoin of a living thread is EBUSY; timed joins end with ETIMEDOUT at their deadline and not
// before it, on both clocks; afterwards the thread can be joined as ever.
#include <semaphore.h>
#include "guest.h"

static sem_t released;

static void *body(void *argument)
{
    CHECK_EQUAL(sem_wait(&released), 0);
    return argument;
}

int main(void)
{
    int token;
    void *result = NULL;

    CHECK_EQUAL(sem_init(&released, 0, 0), 0);
    pthread_t thread = guest_start(body, &token);
    CHECK_EQUAL(pthread_tryjoin_np(thread, &result), EBUSY);

    int64_t deadline = guest_now(CLOCK_REALTIME) + 20 * GUEST_MILLISECOND;
    struct timespec time = guest_timespec(deadline);
    CHECK_EQUAL(pthread_timedjoin_np(thread, &result, &time), ETIMEDOUT);
    CHECK(guest_now(CLOCK_REALTIME) >= deadline);
    CHECK_EQUAL(pthread_timedjoin_np(thread, &result, &time), ETIMEDOUT);

    deadline = guest_now(CLOCK_MONOTONIC) + 20 * GUEST_MILLISECOND;
    time = guest_timespec(deadline);
    CHECK_EQUAL(pthread_clockjoin_np(thread, &result, CLOCK_MONOTONIC, &time), ETIMEDOUT);
    CHECK(guest_now(CLOCK_MONOTONIC) >= deadline);
    CHECK(result == NULL);

    CHECK_EQUAL(sem_post(&released), 0);
    time = guest_timespec(guest_now(CLOCK_REALTIME) + 30 * GUEST_SECOND);
    CHECK_EQUAL(pthread_timedjoin_np(thread, &result, &time), 0);
    CHECK(result == &token);
    return guest_success();
}
