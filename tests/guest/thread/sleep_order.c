// SPDX-License-Identifier: MIT
// Claims: sleepers wake in the order of their deadlines, not of their creation. Natively a busy machine swaps
// some, so a fifth of all pairs may be swapped, in one of twenty attempts: creation order would swap all of
// them and chance a half, every time.
#include "guest.h"

#define THREADS 40

static pthread_barrier_t created;
static int64_t base; // set between the two barriers
static int woken;
static int position[THREADS]; // by creation: the last created has the earliest deadline

static void *body(void *index)
{
    intptr_t me = (intptr_t)index;

    pthread_barrier_wait(&created);
    if (me == 0)
        base = guest_now(CLOCK_MONOTONIC) + 5 * GUEST_MILLISECOND;
    pthread_barrier_wait(&created);
    int64_t deadline = base + (THREADS - me) * GUEST_MILLISECOND;
    struct timespec time = guest_timespec(deadline);
    CHECK_EQUAL(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL), 0);
    position[me] = __atomic_fetch_add(&woken, 1, __ATOMIC_SEQ_CST);
    CHECK(guest_now(CLOCK_MONOTONIC) >= deadline);
    return NULL;
}

static int count_swapped(void)
{
    int swapped = 0;

    woken = 0;
    guest_threads(THREADS, body);
    for (int i = 0; i < THREADS; i++)
        for (int j = 0; j < i; j++)
            swapped += position[j] < position[i];
    return swapped;
}

int main(void)
{
    int attempts = 20;

    CHECK_EQUAL(pthread_barrier_init(&created, NULL, THREADS), 0);
    while (count_swapped() > THREADS * (THREADS - 1) / 2 / 5)
        CHECK(--attempts > 0);
    printf("woken: %d\n", woken);
    return guest_success();
}
