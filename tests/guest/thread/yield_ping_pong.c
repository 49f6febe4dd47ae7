// SPDX-License-Identifier: MIT
// Claims: two threads that wait for a bare flag with sched_yield get on, hundreds of times; so do ten in a
// circle.
#include <sched.h>
#include "guest.h"

static volatile int turn;
static int players, rounds;

static void *body(void *index)
{
    int me = (int)(intptr_t)index;
    for (int i = 0; i < rounds; i++) {
        while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) != i * players + me)
            sched_yield();
        __atomic_store_n(&turn, i * players + me + 1, __ATOMIC_RELEASE);
    }
    return NULL;
}

static void play(int count, int times)
{
    turn = 0;
    players = count;
    rounds = times;
    guest_threads(players, body);
    printf("%d players: %d turns\n", players, turn);
    CHECK_EQUAL(turn, players * rounds);
}

int main(void)
{
    play(2, 500);
    play(10, 10);
    return guest_success();
}
