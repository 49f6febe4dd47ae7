// SPDX-License-Identifier: MIT
// Claims: producers and consumers around a small ring, with two condition variables, pass every item on
// exactly once.
#include "guest.h"

#define PRODUCERS 4
#define CONSUMERS 4
#define ITEMS     500 // of each producer
#define SLOTS     4

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t not_full = PTHREAD_COND_INITIALIZER, not_empty = PTHREAD_COND_INITIALIZER;
static int ring[SLOTS], head, used;
static unsigned char seen[PRODUCERS * ITEMS];

static void put(int item)
{
    CHECK_EQUAL(pthread_mutex_lock(&mutex), 0);
    while (used == SLOTS)
        CHECK_EQUAL(pthread_cond_wait(&not_full, &mutex), 0);
    ring[(head + used++) % SLOTS] = item;
    CHECK_EQUAL(pthread_cond_signal(&not_empty), 0);
    CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);
}

static int take(void)
{
    CHECK_EQUAL(pthread_mutex_lock(&mutex), 0);
    while (used == 0)
        CHECK_EQUAL(pthread_cond_wait(&not_empty, &mutex), 0);
    int item = ring[head];
    head = (head + 1) % SLOTS;
    used--;
    CHECK_EQUAL(pthread_cond_signal(&not_full), 0);
    CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);
    return item;
}

static void *body(void *index)
{
    intptr_t me = (intptr_t)index, sum = 0;
    int item;

    if (me < PRODUCERS) {
        for (int i = 0; i < ITEMS; i++)
            put((int)me * ITEMS + i);
        put(-1);
        return NULL;
    }
    while ((item = take()) >= 0) {
        CHECK_EQUAL(__atomic_fetch_add(&seen[item], 1, __ATOMIC_RELAXED), 0);
        sum += item;
    }
    return (void *)sum;
}

int main(void)
{
    _Static_assert(PRODUCERS == CONSUMERS, "each producer sends one end mark");
    printf("sum: %ld\n", (long)guest_threads(PRODUCERS + CONSUMERS, body));
    for (size_t i = 0; i < sizeof(seen); i++)
        CHECK_EQUAL(seen[i], 1);
    return guest_success();
}
