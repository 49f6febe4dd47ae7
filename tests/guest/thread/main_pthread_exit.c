// SPDX-License-Identifier: MIT
// Claims: after pthread_exit in main the other threads go on, main can be joined, and the last thread to
// return ends the process: status 0, atexit handlers run, stdout flushed.
#include <semaphore.h>
#include "guest.h"

#define THREADS 8

static pthread_t main_thread;
static sem_t main_ended;
static int worked;

static void *work(void *argument)
{
    CHECK_EQUAL(sem_wait(&main_ended), 0);
    __atomic_fetch_add(&worked, 1, __ATOMIC_RELAXED);
    return argument;
}

static void *join_main(void *argument)
{
    CHECK(guest_join(main_thread) == argument);
    puts("main was joined");
    for (int i = 0; i < THREADS; i++)
        CHECK_EQUAL(sem_post(&main_ended), 0);
    return NULL;
}

static void at_exit(void)
{
    printf("worked: %d\n", worked);
    CHECK_EQUAL(worked, THREADS);
    puts("EXIT-SUCCESS"); // left to exit to flush
}

int main(void)
{
    int token;

    main_thread = pthread_self();
    CHECK_EQUAL(sem_init(&main_ended, 0, 0), 0);
    CHECK_EQUAL(atexit(at_exit), 0);
    guest_start(join_main, &token);
    for (int i = 0; i < THREADS; i++)
        guest_start(work, NULL);
    pthread_exit(&token);
}
