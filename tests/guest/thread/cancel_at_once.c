// SPDX-License-Identifier: MIT
// Claims: a thread may be cancelled right after its creation, before it has run, and many threads while they
// come and go between cancellation points: each is joined as cancelled, its cleanup handlers run once, newest
// first, as far as they had been pushed.
#include <sched.h>
#include "guest.h"

#define THREADS 300

static int outer, inner, wrong;

static void clean_inner(void *state)
{
    *(int *)state = 1;
    __atomic_fetch_add(&inner, 1, __ATOMIC_RELAXED);
}

static void clean_outer(void *state)
{
    if (*(int *)state != 1)
        __atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&outer, 1, __ATOMIC_RELAXED);
}

static void *body(void *argument)
{
    int state = 0;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    pthread_cleanup_push(clean_outer, &state);
    pthread_cleanup_push(clean_inner, &state);
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
    for (;;) {
        usleep(50);
        pthread_testcancel();
        sched_yield();
    }
    pthread_cleanup_pop(0);
    pthread_cleanup_pop(0);
    return argument;
}

int main(void)
{
    static pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++) {
        threads[i] = guest_start(body, NULL);
        if (i % 3 == 0)
            CHECK_EQUAL(pthread_cancel(threads[i]), 0);
        if (i % 50 == 0)
            usleep(500);
    }
    for (int i = 0; i < THREADS; i++)
        if (i % 3)
            CHECK_EQUAL(pthread_cancel(threads[i]), 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(guest_join(threads[i]) == PTHREAD_CANCELED);
    CHECK(inner == outer && wrong == 0);
    return guest_success();
}
