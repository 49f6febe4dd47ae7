// SPDX-License-Identifier: MIT
// Claims: a handler may itself block in sleeps, reads, semaphores and mutexes, and be interrupted there by
// other signals, while the thread that it interrupted computes, sleeps or waits; errno is the thread's own.
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include "guest.h"

#define THREADS 6
#define ROUNDS  10

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int bytes[2];
static sem_t tokens;
static __thread volatile int outer, inner;
static volatile int *outers[THREADS];
static int done[THREADS];
static __thread intptr_t own_index;

static void handle(int number)
{
    int saved = errno;
    char byte;
    if (number == SIGUSR2) {
        inner++;
        usleep(50);
        errno = saved;
        return;
    }
    usleep(100);
    CHECK_EQUAL(raise(SIGUSR2), 0);
    while (sem_wait(&tokens) != 0)
        CHECK_EQUAL(errno, EINTR);
    CHECK_EQUAL(pthread_mutex_lock(&mutex), 0);
    usleep(10);
    CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);
    CHECK_EQUAL(sem_post(&tokens), 0);
    while (read(bytes[0], &byte, 1) != 1)
        CHECK_EQUAL(errno, EINTR);
    CHECK_EQUAL(write(bytes[1], "x", 1), 1);
    errno = saved;
    outer++;
    __atomic_fetch_add(&done[own_index], 1, __ATOMIC_RELEASE);
}

static void *body(void *index)
{
    own_index = (intptr_t)index;
    __atomic_store_n(&outers[own_index], &outer, __ATOMIC_RELEASE);
    while (outer < ROUNDS) {
        errno = 1234;
        if ((intptr_t)index % 3 == 0)
            for (int i = 0; i < 100000; i++)
                __asm__ volatile("");
        else if ((intptr_t)index % 3 == 1)
            while (usleep(200) != 0)
                errno = 1234;
        else
            sched_yield();
        CHECK_EQUAL(errno, 1234);
    }
    CHECK_EQUAL(inner, outer);
    return (void *)1;
}

int main(void)
{
    struct sigaction action = {.sa_handler = handle};
    pthread_t threads[THREADS];
    intptr_t ended = 0;

    CHECK_EQUAL(pipe(bytes), 0);
    CHECK_EQUAL(write(bytes[1], "xx", 2), 2);
    CHECK_EQUAL(sem_init(&tokens, 0, 2), 0);
    CHECK_EQUAL(sigaction(SIGUSR1, &action, NULL), 0);
    CHECK_EQUAL(sigaction(SIGUSR2, &action, NULL), 0);
    for (intptr_t i = 0; i < THREADS; i++)
        threads[i] = guest_start(body, (void *)i);
    for (int round = 1; round <= ROUNDS; round++) {
        for (int i = 0; i < THREADS; i++) {
            while (__atomic_load_n(&outers[i], __ATOMIC_ACQUIRE) == NULL)
                usleep(50);
            CHECK_EQUAL(pthread_kill(threads[i], SIGUSR1), 0);
        }
        for (int i = 0; i < THREADS; i++)
            while (__atomic_load_n(&done[i], __ATOMIC_ACQUIRE) < round)
                usleep(100);
    }
    for (int i = 0; i < THREADS; i++)
        ended += (intptr_t)guest_join(threads[i]);
    printf("ended: %ld\n", (long)ended);
    return guest_success();
}
