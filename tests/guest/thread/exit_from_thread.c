// SPDX-License-Identifier: MIT
// Claims: exit() in a thread ends the process, with the atexit handlers running in that thread, while main is
// blocked in a join and another thread in a wait.
#include <semaphore.h>
#include "guest.h"

static sem_t ready, never_posted;
static pthread_t exiting;

static void *block(void *argument)
{
    CHECK_EQUAL(sem_post(&ready), 0);
    sem_wait(&never_posted);
    CHECK(!"a blocked thread ran");
    return argument;
}

static void *end_process(void *argument)
{
    CHECK_EQUAL(sem_wait(&ready), 0);
    exiting = pthread_self();
    exit(0);
    return argument;
}

static void at_exit(void)
{
    CHECK(pthread_equal(pthread_self(), exiting));
    puts("atexit in the thread that called exit");
    puts("EXIT-SUCCESS");
}

int main(void)
{
    CHECK_EQUAL(sem_init(&ready, 0, 0), 0);
    CHECK_EQUAL(sem_init(&never_posted, 0, 0), 0);
    CHECK_EQUAL(atexit(at_exit), 0);
    pthread_t blocked = guest_start(block, NULL);
    guest_start(end_process, NULL);
    guest_join(blocked);
    CHECK(!"main ran on");
    return 1;
}
