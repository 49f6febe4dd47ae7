// SPDX-License-Identifier: MIT
// Claims: C11 mutexes (plain, timed, recursive) exclude and report thrd_busy and thrd_timedout; condition
// variables hand over, broadcast and time out.
#include <threads.h>
#include "guest.h"

#define THREADS 8
#define ROUNDS  200

static mtx_t mutex;
static cnd_t changed;
static volatile int counter, turn;

static int take_turns(void *index)
{
    int me = (int)(intptr_t)index;
    for (int i = 0; i < ROUNDS; i++) {
        CHECK_EQUAL(mtx_lock(&mutex), thrd_success);
        while (turn != me)
            CHECK_EQUAL(cnd_wait(&changed, &mutex), thrd_success);
        int seen = counter;
        if (i % 32 == 0)
            thrd_yield();
        counter = seen + 1;
        turn = (me + 1) % THREADS;
        CHECK_EQUAL(cnd_broadcast(&changed), thrd_success);
        CHECK_EQUAL(mtx_unlock(&mutex), thrd_success);
    }
    return 0;
}

static int time_out(void *argument)
{
    int64_t deadline = guest_now(CLOCK_REALTIME) + 20 * GUEST_MILLISECOND;
    struct timespec time = guest_timespec(deadline);
    (void)argument;
    CHECK_EQUAL(mtx_trylock(&mutex), thrd_busy);
    CHECK_EQUAL(mtx_timedlock(&mutex, &time), thrd_timedout);
    CHECK(guest_now(CLOCK_REALTIME) >= deadline);
    return 0;
}

static void run(int (*body)(void *))
{
    thrd_t threads[THREADS];
    for (intptr_t i = 0; i < THREADS; i++)
        CHECK_EQUAL(thrd_create(&threads[i], body, (void *)i), thrd_success);
    for (int i = 0; i < THREADS; i++)
        CHECK_EQUAL(thrd_join(threads[i], NULL), thrd_success);
}

int main(void)
{
    CHECK_EQUAL(cnd_init(&changed), thrd_success);
    CHECK_EQUAL(mtx_init(&mutex, mtx_plain), thrd_success);
    run(take_turns);
    printf("counter: %d\n", counter);
    CHECK_EQUAL(counter, THREADS * ROUNDS);
    mtx_destroy(&mutex);

    CHECK_EQUAL(mtx_init(&mutex, mtx_timed | mtx_recursive), thrd_success);
    CHECK_EQUAL(mtx_lock(&mutex), thrd_success);
    CHECK_EQUAL(mtx_trylock(&mutex), thrd_success);
    CHECK_EQUAL(mtx_unlock(&mutex), thrd_success);
    run(time_out); // still held

    int64_t deadline = guest_now(CLOCK_REALTIME) + 10 * GUEST_MILLISECOND;
    struct timespec time = guest_timespec(deadline);
    int result;
    while ((result = cnd_timedwait(&changed, &mutex, &time)) == thrd_success)
        continue;
    CHECK_EQUAL(result, thrd_timedout);
    CHECK(guest_now(CLOCK_REALTIME) >= deadline);
    CHECK_EQUAL(mtx_unlock(&mutex), thrd_success);
    return guest_success();
}
