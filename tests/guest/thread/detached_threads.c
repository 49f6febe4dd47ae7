// SPDX-License-Identifier: MIT
// Claims: threads run to their end detached, whether by attribute, by their creator or by themselves, and a
// detached thread cannot be joined.
#include <semaphore.h>
#include "guest.h"

#define THREADS 100

static sem_t released, done;
static int sum;

static void *body(void *argument)
{
    CHECK_EQUAL(sem_wait(&released), 0);
    __atomic_fetch_add(&sum, (int)(intptr_t)argument, __ATOMIC_RELAXED);
    CHECK_EQUAL(sem_post(&done), 0);
    return NULL;
}

static void *detach_self(void *argument)
{
    CHECK_EQUAL(pthread_detach(pthread_self()), 0);
    return body(argument);
}

int main(void)
{
    pthread_attr_t detached;
    pthread_t thread;

    CHECK_EQUAL(sem_init(&released, 0, 0), 0);
    CHECK_EQUAL(sem_init(&done, 0, 0), 0);
    CHECK_EQUAL(pthread_attr_init(&detached), 0);
    CHECK_EQUAL(pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED), 0);

    for (intptr_t i = 0; i < THREADS; i++) {
        CHECK_EQUAL(pthread_create(&thread, &detached, body, (void *)1), 0);
        CHECK_EQUAL(pthread_join(thread, NULL), EINVAL);
        thread = guest_start(body, (void *)100);
        CHECK_EQUAL(pthread_detach(thread), 0);
        CHECK_EQUAL(pthread_detach(thread), EINVAL);
        guest_start(detach_self, (void *)10000);
    }
    for (int i = 0; i < 3 * THREADS; i++)
        CHECK_EQUAL(sem_post(&released), 0);
    for (int i = 0; i < 3 * THREADS; i++)
        CHECK_EQUAL(sem_wait(&done), 0);
    printf("sum: %d\n", sum);
    return guest_success();
}
