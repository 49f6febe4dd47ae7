// SPDX-License-Identifier: MIT
// Claims: pthread_self is the handle that pthread_create gave, differs between threads, and stays the same
// across blocking calls; main's is as stable.
#include <sched.h>
#include "guest.h"

#define THREADS 32

static pthread_barrier_t meeting;
static pthread_t seen[THREADS];

static void *body(void *index)
{
    pthread_t self = pthread_self();
    seen[(intptr_t)index] = self;
    for (int i = 0; i < 20; i++) {
        pthread_barrier_wait(&meeting);
        CHECK(pthread_equal(self, pthread_self()));
        sched_yield();
        CHECK(pthread_equal(self, pthread_self()));
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS], self = pthread_self();

    CHECK_EQUAL(pthread_barrier_init(&meeting, NULL, THREADS), 0);
    for (intptr_t i = 0; i < THREADS; i++)
        threads[i] = guest_start(body, (void *)i);
    for (int i = 0; i < THREADS; i++)
        guest_join(threads[i]);

    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_equal(seen[i], threads[i]));
        CHECK(!pthread_equal(seen[i], self));
        for (int j = 0; j < i; j++)
            CHECK(!pthread_equal(seen[i], seen[j]));
    }
    CHECK(pthread_equal(self, pthread_self()));
    return guest_success();
}
