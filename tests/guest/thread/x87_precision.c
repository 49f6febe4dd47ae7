// SPDX-License-Identifier: MIT
// Claims: the x87 precision control belongs to the thread: long double arithmetic keeps a thread's own 24, 53
// or 64 bits across yielding and blocking.
#include <sched.h>
#include "guest.h"

#define THREADS 9

static pthread_barrier_t meeting;

static void set_precision(int control)
{
    uint16_t word;
    __asm__ volatile("fnstcw %0" : "=m"(word));
    word = (uint16_t)((word & ~0x300) | control << 8);
    __asm__ volatile("fldcw %0" : : "m"(word));
}

static int precision_bits(void)
{
    volatile long double one = 1.0L, small = 1.0L, sum;
    int bits = 0;
    do {
        small = small / 2;
        sum = one + small;
        bits++;
    } while (sum != one);
    return bits;
}

static void *body(void *index)
{
    static const struct {
        int control, bits;
    } kinds[] = {{0, 24}, {2, 53}, {3, 64}};
    intptr_t kind = (intptr_t)index % 3;

    CHECK_EQUAL(precision_bits(), 64);
    set_precision(kinds[kind].control);
    for (int i = 0; i < 20; i++) {
        CHECK_EQUAL(precision_bits(), kinds[kind].bits);
        sched_yield();
        CHECK_EQUAL(precision_bits(), kinds[kind].bits);
        pthread_barrier_wait(&meeting);
    }
    return NULL;
}

int main(void)
{
    CHECK_EQUAL(pthread_barrier_init(&meeting, NULL, THREADS), 0);
    guest_threads(THREADS, body);
    CHECK_EQUAL(precision_bits(), 64);
    return guest_success();
}
