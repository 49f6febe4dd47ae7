// SPDX-License-Identifier: MIT
// Claims: C11 threads: results through thrd_join, thrd_exit from a nested call, detached threads,
// thrd_current and thrd_equal, thrd_yield and thrd_sleep, which is never short.
#include <semaphore.h>
#include <threads.h>
#include "guest.h"

#define THREADS 32

static sem_t done;
static thrd_t seen[THREADS];

static void leave(int result)
{
    thrd_exit(result);
}

static int body(void *index)
{
    int me = (int)(intptr_t)index;
    seen[me] = thrd_current();
    thrd_yield();
    int64_t start = guest_now(CLOCK_MONOTONIC);
    CHECK_EQUAL(thrd_sleep(&(struct timespec){.tv_nsec = 5000000}, NULL), 0);
    CHECK(guest_now(CLOCK_MONOTONIC) - start >= 5 * GUEST_MILLISECOND);
    CHECK(thrd_equal(seen[me], thrd_current()));
    if (me % 2)
        leave(me * 10);
    return me * 10;
}

static int detached(void *argument)
{
    (void)argument;
    CHECK_EQUAL(sem_post(&done), 0);
    return 0;
}

int main(void)
{
    thrd_t threads[THREADS], thread;
    int result, sum = 0;

    CHECK_EQUAL(sem_init(&done, 0, 0), 0);
    for (intptr_t i = 0; i < THREADS; i++)
        CHECK_EQUAL(thrd_create(&threads[i], body, (void *)i), thrd_success);
    for (int i = 0; i < THREADS; i++) {
        CHECK_EQUAL(thrd_join(threads[i], &result), thrd_success);
        CHECK_EQUAL(result, i * 10);
        CHECK(thrd_equal(seen[i], threads[i]));
        CHECK(!thrd_equal(seen[i], thrd_current()));
        sum += result;
    }
    CHECK_EQUAL(thrd_create(&thread, body, NULL), thrd_success);
    CHECK_EQUAL(thrd_join(thread, NULL), thrd_success);
    for (int i = 0; i < THREADS; i++) {
        CHECK_EQUAL(thrd_create(&thread, detached, NULL), thrd_success);
        CHECK_EQUAL(thrd_detach(thread), thrd_success);
    }
    for (int i = 0; i < THREADS; i++)
        CHECK_EQUAL(sem_wait(&done), 0);
    printf("sum: %d\n", sum);
    return guest_success();
}
