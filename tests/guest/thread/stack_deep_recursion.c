// SPDX-License-Identifier: MIT
// Claims: threads may use megabytes of a default stack, by deep calls and by alloca, and be blocked deep
// down; nothing of it is lost or shared.
#include <alloca.h>
#include <sched.h>
#include "guest.h"

#define THREADS 8

static pthread_barrier_t deep;

static unsigned descend(unsigned depth, unsigned seed)
{
    unsigned frame[64];
    unsigned result;

    for (unsigned i = 0; i < 64; i++)
        frame[i] = seed + depth * 64 + i;
    if (depth == 0)
        pthread_barrier_wait(&deep);
    if (depth % 512 == 0)
        sched_yield();
    result = depth > 0 ? descend(depth - 1, seed) : 0;
    for (unsigned i = 0; i < 64; i++)
        CHECK_EQUAL(frame[i], seed + depth * 64 + i);
    return result + 1;
}

static void *body(void *index)
{
    size_t size = 1 << 20;
    char *block = (char *)alloca(size);

    memset(block, (int)(intptr_t)index, size);
    pthread_barrier_wait(&deep);
    unsigned depth = descend(4096, (unsigned)(intptr_t)index << 20);
    for (size_t i = 0; i < size; i++)
        CHECK_EQUAL(block[i], (intptr_t)index);
    return (void *)(uintptr_t)depth;
}

int main(void)
{
    CHECK_EQUAL(pthread_barrier_init(&deep, NULL, THREADS), 0);
    printf("frames: %ld\n", (long)guest_threads(THREADS, body));
    return guest_success();
}
