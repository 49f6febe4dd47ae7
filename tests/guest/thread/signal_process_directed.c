// SPDX-License-Identifier: MIT
// Claims: a signal sent to the process goes to a thread that does not block it, wherever that thread is
// blocked; each of many is handled once.
#include <semaphore.h>
#include <signal.h>
#include "guest.h"

#define THREADS 6
#define SIGNALS 50

static sem_t ready, handled;
static pthread_t eligible;
static int stop;

static void handle(int number)
{
    (void)number;
    CHECK(pthread_equal(pthread_self(), eligible));
    sem_post(&handled);
}

static void *body(void *index)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    if ((intptr_t)index == 3) {
        eligible = pthread_self();
        CHECK_EQUAL(pthread_sigmask(SIG_UNBLOCK, &set, NULL), 0);
    }
    CHECK_EQUAL(sem_post(&ready), 0);
    while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE))
        usleep(300);
    return NULL;
}

int main(void)
{
    struct sigaction action = {.sa_handler = handle};
    pthread_t threads[THREADS];
    sigset_t set;

    CHECK_EQUAL(sem_init(&ready, 0, 0), 0);
    CHECK_EQUAL(sem_init(&handled, 0, 0), 0);
    CHECK_EQUAL(sigaction(SIGUSR1, &action, NULL), 0);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK_EQUAL(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
    for (intptr_t i = 0; i < THREADS; i++)
        threads[i] = guest_start(body, (void *)i);
    for (int i = 0; i < THREADS; i++)
        CHECK_EQUAL(sem_wait(&ready), 0);
    for (int i = 0; i < SIGNALS; i++) {
        CHECK_EQUAL(kill(getpid(), SIGUSR1), 0);
        CHECK_EQUAL(sem_wait(&handled), 0);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
    for (int i = 0; i < THREADS; i++)
        guest_join(threads[i]);
    CHECK_EQUAL(sem_trywait(&handled), -1);
    return guest_success();
}
