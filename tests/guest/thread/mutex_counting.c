// SPDX-License-Identifier: MIT
// Claims: a mutex of any type excludes, also when its holder yields or blocks: a counter that is read and
// written in two steps loses nothing.
#include <sched.h>
#include "guest.h"

#define THREADS 8
#define ROUNDS  500

static pthread_mutex_t mutex;
static volatile long counter;

static void *body(void *index)
{
    for (int i = 0; i < ROUNDS; i++) {
        CHECK_EQUAL(pthread_mutex_lock(&mutex), 0);
        long seen = counter;
        if (i % 50 == 0)
            sched_yield();
        if (i % 100 == 75)
            usleep(1);
        counter = seen + 1;
        CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);
    }
    return index;
}

int main(void)
{
    static const struct {
        const char *name;
        int type;
    } kinds[] = {
        {"normal", PTHREAD_MUTEX_NORMAL},
        {"recursive", PTHREAD_MUTEX_RECURSIVE},
        {"errorcheck", PTHREAD_MUTEX_ERRORCHECK},
        {"adaptive", PTHREAD_MUTEX_ADAPTIVE_NP},
    };

    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        pthread_mutexattr_t attributes;
        CHECK_EQUAL(pthread_mutexattr_init(&attributes), 0);
        CHECK_EQUAL(pthread_mutexattr_settype(&attributes, kinds[i].type), 0);
        CHECK_EQUAL(pthread_mutex_init(&mutex, &attributes), 0);
        counter = 0;
        guest_threads(THREADS, body);
        printf("%s: %ld\n", kinds[i].name, counter);
        CHECK_EQUAL(counter, THREADS * ROUNDS);
        CHECK_EQUAL(pthread_mutex_destroy(&mutex), 0);
    }
    return guest_success();
}
