// SPDX-License-Identifier: MIT
// Claims: readers hold a rwlock together (they meet in a barrier while they hold it); a writer holds it
// alone, also when it yields in the middle of an update.
#include <sched.h>
#include "guest.h"

#define READERS 6
#define WRITERS 3
#define ROUNDS  60

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t inside;
static volatile int first, second, writing;

static void *meet_inside(void *index)
{
    CHECK_EQUAL(pthread_rwlock_rdlock(&lock), 0);
    pthread_barrier_wait(&inside);
    CHECK_EQUAL(pthread_rwlock_unlock(&lock), 0);
    return index;
}

static void *body(void *index)
{
    for (int i = 0; i < ROUNDS; i++) {
        if ((intptr_t)index < WRITERS) {
            CHECK_EQUAL(pthread_rwlock_wrlock(&lock), 0);
            CHECK_EQUAL(writing, 0);
            writing = 1;
            first++;
            sched_yield();
            second++;
            writing = 0;
        } else {
            CHECK_EQUAL(pthread_rwlock_rdlock(&lock), 0);
            int seen = first;
            if (i % 4 == 0)
                sched_yield();
            CHECK_EQUAL(writing, 0);
            CHECK_EQUAL(second, seen);
        }
        CHECK_EQUAL(pthread_rwlock_unlock(&lock), 0);
        sched_yield(); // let writers in
    }
    return index;
}

int main(void)
{
    CHECK_EQUAL(pthread_barrier_init(&inside, NULL, READERS), 0);
    guest_threads(READERS, meet_inside);
    guest_threads(WRITERS + READERS, body);
    printf("written: %d %d\n", first, second);
    CHECK_EQUAL(first, WRITERS * ROUNDS);
    return guest_success();
}
