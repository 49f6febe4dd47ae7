// SPDX-License-Identifier: MIT
// Claims: pthread_kill runs the handler in the thread that it names, whether that thread is blocked in a
// semaphore or computes; sem_wait is interrupted without SA_RESTART and goes on with it.
#include <semaphore.h>
#include <signal.h>
#include "guest.h"

#define THREADS 8

static sem_t ready, handled, released;
static __thread volatile int own;

static void handle(int number)
{
    (void)number;
    own++;
    sem_post(&handled);
}

static void *block(void *argument)
{
    int interrupted = 0;
    CHECK_EQUAL(sem_post(&ready), 0);
    while (sem_wait(&released) != 0) {
        CHECK_EQUAL(errno, EINTR);
        interrupted++;
    }
    CHECK_EQUAL(own, 3);
    if (argument != NULL)
        CHECK_EQUAL(interrupted, 0);
    return (void *)1;
}

static void *compute(void *argument)
{
    (void)argument;
    CHECK_EQUAL(sem_post(&ready), 0);
    while (own < 3)
        __asm__ volatile("");
    return (void *)1;
}

static void run(void *(*body)(void *), int flags)
{
    struct sigaction action = {.sa_handler = handle, .sa_flags = flags};
    pthread_t threads[THREADS];
    int count = body == compute ? 2 : THREADS;
    intptr_t ended = 0;

    CHECK_EQUAL(sigaction(SIGUSR1, &action, NULL), 0);
    for (int i = 0; i < count; i++)
        threads[i] = guest_start(body, flags ? &ready : NULL);
    for (int i = 0; i < count; i++)
        CHECK_EQUAL(sem_wait(&ready), 0);
    for (int i = 0; i < 3 * count; i++) {
        CHECK_EQUAL(pthread_kill(threads[i % count], SIGUSR1), 0);
        while (sem_wait(&handled) != 0)
            CHECK_EQUAL(errno, EINTR);
    }
    if (body == block)
        for (int i = 0; i < count; i++)
            CHECK_EQUAL(sem_post(&released), 0);
    for (int i = 0; i < count; i++)
        ended += (intptr_t)guest_join(threads[i]);
    printf("ended: %ld\n", (long)ended);
    CHECK_EQUAL(own, 0); // main handled none
}

int main(void)
{
    CHECK_EQUAL(sem_init(&ready, 0, 0), 0);
    CHECK_EQUAL(sem_init(&handled, 0, 0), 0);
    CHECK_EQUAL(sem_init(&released, 0, 0), 0);
    run(block, 0);
    run(block, SA_RESTART);
    run(compute, 0);
    return guest_success();
}
