// SPDX-License-Identifier: MIT
// Claims: two threads that hand a turn to and fro by pthread_cond_signal alternate strictly, thousands of
// times, and no wake-up is lost.
#include "guest.h"

#define ROUNDS 3000

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed[2] = {PTHREAD_COND_INITIALIZER, PTHREAD_COND_INITIALIZER};
static int turn;
static uint32_t history = 1;

static void *body(void *index)
{
    int me = (int)(intptr_t)index;
    CHECK_EQUAL(pthread_mutex_lock(&mutex), 0);
    for (int i = 0; i < ROUNDS; i++) {
        while (turn != me)
            CHECK_EQUAL(pthread_cond_wait(&changed[me], &mutex), 0);
        history = history * 31 + (uint32_t)me + 7;
        turn = !me;
        CHECK_EQUAL(pthread_cond_signal(&changed[!me]), 0);
    }
    CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);
    return NULL;
}

int main(void)
{
    uint32_t expected = 1;

    guest_threads(2, body);
    for (uint32_t i = 0; i < 2 * ROUNDS; i++)
        expected = expected * 31 + i % 2 + 7;
    printf("history: %u\n", history);
    CHECK_EQUAL(history, expected);
    return guest_success();
}
