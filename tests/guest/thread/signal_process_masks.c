// SPDX-License-Identifier: MIT
// Claims: with 100 threads that have 100 different masks a signal for the process finds the one that does not
// block it, parked or computing; while all block it, it is pending for each of them, and the first that
// unblocks has it.
#include <semaphore.h>
#include <signal.h>
#include "guest.h"

#define THREADS 100
#define SIGNALS 25

static sem_t ready, handled;
static int stop, first = 34;
static __thread int index_here;
static int seen_by[THREADS + 1];

static void handle(int number)
{
    (void)number;
    __atomic_fetch_add(&seen_by[index_here], 1, __ATOMIC_RELAXED);
    sem_post(&handled);
}

static void *body(void *index)
{
    sigset_t set;
    index_here = (int)(intptr_t)index + 1;
    sigfillset(&set);
    if (index_here <= SIGNALS) // this one takes signal first + index alone
        sigdelset(&set, first + index_here - 1);
    else
        for (int i = 0; i < 7; i++) // a mask of its own
            if (index_here >> i & 1)
                sigdelset(&set, 1 + i);
    CHECK_EQUAL(pthread_sigmask(SIG_SETMASK, &set, NULL), 0);
    CHECK_EQUAL(sem_post(&ready), 0);
    if (index_here % 50 == 3)
        while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE))
            __asm__ volatile("");
    while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE))
        usleep(2000);
    return (void *)1;
}

int main(void)
{
    struct sigaction action = {.sa_handler = handle};
    pthread_t threads[THREADS];
    intptr_t ended = 0;
    sigset_t set, pending;

    CHECK_EQUAL(sem_init(&ready, 0, 0), 0);
    CHECK_EQUAL(sem_init(&handled, 0, 0), 0);
    sigemptyset(&set);
    for (int i = 0; i <= SIGNALS; i++) {
        CHECK_EQUAL(sigaction(first + i, &action, NULL), 0);
        sigaddset(&set, first + i);
    }
    CHECK_EQUAL(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
    for (intptr_t i = 0; i < THREADS; i++)
        threads[i] = guest_start(body, (void *)i);
    for (int i = 0; i < THREADS; i++)
        CHECK_EQUAL(sem_wait(&ready), 0);
    for (int round = 0; round < 4; round++)
        for (int i = 0; i < SIGNALS; i++) {
            CHECK_EQUAL(
                round % 2 ? kill(getpid(), first + i) : sigqueue(getpid(), first + i, (union sigval){0}), 0);
            CHECK_EQUAL(sem_wait(&handled), 0);
            CHECK_EQUAL(seen_by[i + 1], round + 1);
        }
    CHECK_EQUAL(kill(getpid(), first + SIGNALS), 0);
    CHECK_EQUAL(sigpending(&pending), 0);
    CHECK_EQUAL(sigismember(&pending, first + SIGNALS), 1);
    CHECK_EQUAL(seen_by[0], 0);
    sigemptyset(&set);
    sigaddset(&set, first + SIGNALS);
    CHECK_EQUAL(pthread_sigmask(SIG_UNBLOCK, &set, NULL), 0);
    CHECK_EQUAL(seen_by[0], 1);
    __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
    for (int i = 0; i < THREADS; i++)
        ended += (intptr_t)guest_join(threads[i]);
    printf("ended: %ld\n", (long)ended);
    return guest_success();
}
