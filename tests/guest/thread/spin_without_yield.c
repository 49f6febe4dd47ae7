// SPDX-License-Identifier: MIT
// Claims: threads that wait for one another in a loop without any call get on, although there are more of
// them than CPUs.
#include "guest.h"

#define THREADS 4
#define ROUNDS  3

static int turn;

static void *body(void *index)
{
    for (int i = 0; i < ROUNDS; i++) {
        int mine = i * THREADS + THREADS - 1 - (int)(intptr_t)index; // the youngest goes first
        while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) != mine)
            __builtin_ia32_pause();
        __atomic_store_n(&turn, mine + 1, __ATOMIC_RELEASE);
    }
    return NULL;
}

int main(void)
{
    guest_threads(THREADS, body);
    printf("turns: %d\n", turn);
    CHECK_EQUAL(turn, THREADS * ROUNDS);
    return guest_success();
}
