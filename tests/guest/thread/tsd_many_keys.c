// SPDX-License-Identifier: MIT
// Claims: hundreds of keys hold a value per thread each, across blocking; a new key is NULL in every thread,
// also when it takes the place of a deleted one.
#include <sched.h>
#include "guest.h"

#define THREADS 12
#define KEYS    300

static pthread_barrier_t meeting;
static pthread_key_t keys[KEYS];

static void *body(void *index)
{
    char *base = (char *)(1 + (intptr_t)index * KEYS);

    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < KEYS; i++) {
            CHECK(pthread_getspecific(keys[i]) == NULL);
            CHECK_EQUAL(pthread_setspecific(keys[i], base + i), 0);
            if (i % 50 == 0)
                sched_yield();
        }
        pthread_barrier_wait(&meeting);
        for (int i = 0; i < KEYS; i++)
            CHECK(pthread_getspecific(keys[i]) == base + i);
        if (pthread_barrier_wait(&meeting) == PTHREAD_BARRIER_SERIAL_THREAD) {
            for (int i = 0; i < KEYS; i++)
                CHECK_EQUAL(pthread_key_delete(keys[i]), 0);
            for (int i = 0; i < KEYS; i++)
                CHECK_EQUAL(pthread_key_create(&keys[i], NULL), 0);
        }
        pthread_barrier_wait(&meeting);
    }
    return NULL;
}

int main(void)
{
    CHECK_EQUAL(pthread_barrier_init(&meeting, NULL, THREADS), 0);
    for (int i = 0; i < KEYS; i++)
        CHECK_EQUAL(pthread_key_create(&keys[i], NULL), 0);
    guest_threads(THREADS, body);
    return guest_success();
}
