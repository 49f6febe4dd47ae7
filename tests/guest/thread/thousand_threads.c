// SPDX-License-Identifier: MIT
// Claims: a thousand threads can be alive at the same time, each blocked in the same barrier on a stack of
// its own.
#include <limits.h>
#include "guest.h"

#define THREADS 1000

static pthread_barrier_t all_alive;
static uintptr_t stacks[THREADS];

static void *body(void *index)
{
    volatile char local[512];
    memset((char *)local, (int)((intptr_t)index % 251), sizeof(local));
    stacks[(intptr_t)index] = (uintptr_t)local;
    pthread_barrier_wait(&all_alive);

    for (size_t i = 0; i < sizeof(local); i++)
        CHECK_EQUAL(local[i], (char)((intptr_t)index % 251));
    return index;
}

static int compare(const void *left, const void *right)
{
    uintptr_t a = *(const uintptr_t *)left, b = *(const uintptr_t *)right;
    return a < b ? -1 : a > b;
}

int main(void)
{
    CHECK_EQUAL(pthread_barrier_init(&all_alive, NULL, THREADS), 0);
    printf("sum of indexes: %ld\n", (long)guest_threads(THREADS, body));

    qsort(stacks, THREADS, sizeof(*stacks), compare);
    for (int i = 1; i < THREADS; i++)
        CHECK(stacks[i] - stacks[i - 1] >= (uintptr_t)PTHREAD_STACK_MIN);
    return guest_success();
}
