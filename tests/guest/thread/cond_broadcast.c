// SPDX-License-Identifier: MIT
// Claims: pthread_cond_broadcast wakes every waiter, pthread_cond_signal at least one: of N waiters that each
// take one token, none stays behind after N signals.
#include "guest.h"

#define THREADS 40

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pthread_cond_t all_wait = PTHREAD_COND_INITIALIZER;
static int waiting, generation, tokens, taken;

static void *body(void *argument)
{
    CHECK_EQUAL(pthread_mutex_lock(&mutex), 0);
    for (int next = 1; next <= 20; next++) {
        if (++waiting == THREADS)
            CHECK_EQUAL(pthread_cond_signal(&all_wait), 0);
        while (generation < next)
            CHECK_EQUAL(pthread_cond_wait(&changed, &mutex), 0);
    }
    if (++waiting == THREADS)
        CHECK_EQUAL(pthread_cond_signal(&all_wait), 0);
    while (tokens == 0)
        CHECK_EQUAL(pthread_cond_wait(&changed, &mutex), 0);
    tokens--;
    taken++;
    CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);
    return argument;
}

static void wait_for_all(void)
{
    while (waiting < THREADS)
        CHECK_EQUAL(pthread_cond_wait(&all_wait, &mutex), 0);
    waiting = 0;
}

int main(void)
{
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++)
        threads[i] = guest_start(body, NULL);
    CHECK_EQUAL(pthread_mutex_lock(&mutex), 0);
    for (int i = 0; i < 20; i++) {
        wait_for_all();
        generation++;
        CHECK_EQUAL(pthread_cond_broadcast(&changed), 0);
    }
    wait_for_all();
    CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);
    for (int i = 0; i < THREADS; i++) {
        CHECK_EQUAL(pthread_mutex_lock(&mutex), 0);
        tokens++;
        CHECK_EQUAL(pthread_cond_signal(&changed), 0);
        CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);
    }
    for (int i = 0; i < THREADS; i++)
        guest_join(threads[i]);
    printf("generation %d, taken %d\n", generation, taken);
    return guest_success();
}
