// SPDX-License-Identifier: MIT
// Claims: a thread can join any other thread: each of 200 joins its predecessor, so all of them are blocked
// in join until the first one ends.
#include <semaphore.h>
#include "guest.h"

#define THREADS 200

static sem_t release_first;
static pthread_t previous[THREADS];

static void *body(void *index)
{
    intptr_t i = (intptr_t)index;
    if (i == 0) {
        CHECK_EQUAL(sem_wait(&release_first), 0);
        return (void *)1;
    }
    return (void *)((intptr_t)guest_join(previous[i]) + 1);
}

int main(void)
{
    pthread_t thread;

    CHECK_EQUAL(sem_init(&release_first, 0, 0), 0);
    for (intptr_t i = 0; i < THREADS; i++) {
        if (i > 0)
            previous[i] = thread;
        thread = guest_start(body, (void *)i);
    }
    CHECK_EQUAL(sem_post(&release_first), 0);
    intptr_t length = (intptr_t)guest_join(thread);
    printf("chain: %ld\n", (long)length);
    CHECK_EQUAL(length, THREADS);
    return guest_success();
}
