// SPDX-License-Identifier: MIT
// Claims: quick_exit in a thread runs the handlers of at_quick_exit in that thread, last registered first,
// and no handler of atexit, while other threads are blocked.
#include <semaphore.h>
#include "guest.h"

static sem_t never;
static pthread_t quitter;

static void *blocked(void *argument)
{
    (void)argument;
    sem_wait(&never);
    guest_fail(__FILE__, __LINE__, "a blocked thread goes on");
}

static void at_exit(void)
{
    guest_fail(__FILE__, __LINE__, "a handler of atexit runs");
}

static void first_registered(void)
{
    CHECK(pthread_equal(pthread_self(), quitter));
    puts("first registered");
    guest_success();
}

static void last_registered(void)
{
    CHECK(pthread_equal(pthread_self(), quitter));
    puts("last registered");
}

static void *quits(void *argument)
{
    (void)argument;
    quitter = pthread_self();
    quick_exit(0);
}

int main(void)
{
    CHECK_EQUAL(sem_init(&never, 0, 0), 0);
    CHECK_EQUAL(atexit(at_exit), 0);
    CHECK_EQUAL(at_quick_exit(first_registered), 0);
    CHECK_EQUAL(at_quick_exit(last_registered), 0);
    for (int i = 0; i < 8; i++)
        guest_start(blocked, NULL);
    guest_join(guest_start(quits, NULL));
    guest_fail(__FILE__, __LINE__, "quick_exit returned");
}
