// SPDX-License-Identifier: MIT
// Claims: a thread with a stack of PTHREAD_STACK_MIN bytes can block in every usual way.
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <semaphore.h>
#include "guest.h"

#define THREADS 8

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static sem_t semaphore;
static pthread_barrier_t barrier;
static int pipes[THREADS][2];

static void *body(void *index)
{
    intptr_t me = (intptr_t)index;
    unsigned char canary[4096];
    char byte;

    memset(canary, (int)me + 1, sizeof(canary));
    pthread_barrier_wait(&barrier);
    CHECK_EQUAL(sem_wait(&semaphore), 0);
    CHECK_EQUAL(usleep(100), 0);
    CHECK_EQUAL(sched_yield(), 0);
    CHECK_EQUAL(read(pipes[me][0], &byte, 1), 1);
    CHECK_EQUAL(poll(&(struct pollfd){.fd = pipes[me][0], .events = POLLIN}, 1, 1), 0);
    struct timespec time = guest_timespec(guest_now(CLOCK_REALTIME) + GUEST_MILLISECOND);
    CHECK_EQUAL(pthread_mutex_lock(&mutex), 0);
    while (pthread_cond_timedwait(&never, &mutex, &time) != ETIMEDOUT)
        continue;
    CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);
    for (size_t i = 0; i < sizeof(canary); i++)
        CHECK_EQUAL(canary[i], me + 1);
    return (void *)1;
}

int main(void)
{
    pthread_attr_t attributes;
    pthread_t threads[THREADS];
    intptr_t done = 0;

    CHECK_EQUAL(sem_init(&semaphore, 0, 0), 0);
    CHECK_EQUAL(pthread_barrier_init(&barrier, NULL, THREADS + 1), 0);
    CHECK_EQUAL(pthread_attr_init(&attributes), 0);
    CHECK_EQUAL(pthread_attr_setstacksize(&attributes, (size_t)PTHREAD_STACK_MIN), 0);
    for (intptr_t i = 0; i < THREADS; i++) {
        CHECK_EQUAL(pipe(pipes[i]), 0);
        CHECK_EQUAL(pthread_create(&threads[i], &attributes, body, (void *)i), 0);
    }
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < THREADS; i++) {
        CHECK_EQUAL(sem_post(&semaphore), 0);
        CHECK_EQUAL(write(pipes[i][1], "x", 1), 1);
    }
    for (int i = 0; i < THREADS; i++)
        done += (intptr_t)guest_join(threads[i]);
    printf("done: %ld\n", (long)done);
    CHECK_EQUAL(pthread_attr_setstacksize(&attributes, (size_t)PTHREAD_STACK_MIN - 1), EINVAL);
    return guest_success();
}
