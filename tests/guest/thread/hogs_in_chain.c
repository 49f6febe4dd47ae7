// SPDX-License-Identifier: MIT
// Claims: threads that have computed for long, more of them than there are CPUs, go on even when one spins
// without a call until the next one has come, and that until the next.
#include <sched.h>
#include <stdatomic.h>
#include "guest.h"

#define THREADS 8
#define ROUNDS  3

static int arrived[ROUNDS][THREADS];
static atomic_int turns;

static void compute(long milliseconds)
{
    struct timespec now, end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_nsec += milliseconds * 1000000;
    do
        clock_gettime(CLOCK_MONOTONIC, &now);
    while ((now.tv_sec - end.tv_sec) * 1000000000 + now.tv_nsec < end.tv_nsec);
}

static void *body(void *index)
{
    intptr_t mine = (intptr_t)index;
    for (int round = 0; round < ROUNDS; round++) {
        compute(5);
        usleep(1); // from here on it is known to be one that computes
        compute(5);
        usleep(1);
        while (mine + 1 < THREADS && !__atomic_load_n(&arrived[round][mine + 1], __ATOMIC_SEQ_CST))
            continue;
        __atomic_store_n(&arrived[round][mine], 1, __ATOMIC_SEQ_CST);
        atomic_fetch_add(&turns, 1);
    }
    return index;
}

static void *echo(void *ends)
{
    char byte;
    while (read(((int *)ends)[0], &byte, 1) == 1)
        CHECK_EQUAL(write(((int *)ends)[3], &byte, 1), 1);
    return NULL;
}

int main(void)
{
    int ends[4];
    CHECK_EQUAL(pipe(ends), 0);
    CHECK_EQUAL(pipe(ends + 2), 0);
    pthread_t other = guest_start(echo, ends), threads[THREADS];
    for (intptr_t i = 0; i < THREADS; i++)
        threads[i] = guest_start(body, (void *)i);
    do { // there is always something else to do
        char byte = 'x';
        CHECK_EQUAL(write(ends[1], &byte, 1), 1);
        CHECK_EQUAL(read(ends[2], &byte, 1), 1);
    } while (atomic_load(&turns) < ROUNDS * THREADS);
    for (intptr_t i = 0; i < THREADS; i++)
        CHECK(guest_join(threads[i]) == (void *)i);
    close(ends[1]);
    guest_join(other);
    return guest_success();
}
