// SPDX-License-Identifier: MIT
// Claims: a token that goes round a hundred threads, from semaphore to semaphore, passes all of them in order
// every lap.
#include <semaphore.h>
#include "guest.h"

#define THREADS 100
#define LAPS    30

static sem_t turn[THREADS];
static uint64_t token = 1; // only its holder touches it

static void *body(void *index)
{
    intptr_t me = (intptr_t)index;
    for (int lap = 0; lap < LAPS; lap++) {
        CHECK_EQUAL(sem_wait(&turn[me]), 0);
        token = token * 6364136223846793005u + (uint64_t)me;
        CHECK_EQUAL(sem_post(&turn[(me + 1) % THREADS]), 0);
    }
    return NULL;
}

int main(void)
{
    uint64_t expected = 1;

    for (int i = 0; i < THREADS; i++)
        CHECK_EQUAL(sem_init(&turn[i], 0, i == 0), 0);
    guest_threads(THREADS, body);
    for (int i = 0; i < THREADS * LAPS; i++)
        expected = expected * 6364136223846793005u + (uint64_t)(i % THREADS);
    printf("token: %llu\n", (unsigned long long)token);
    CHECK_EQUAL(token, expected);
    return guest_success();
}
