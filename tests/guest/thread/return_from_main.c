// SPDX-License-Identifier: MIT
// Claims: returning from main ends the process while threads are still blocked: handlers and destructors run,
// the blocked threads do not.
#include <semaphore.h>
#include <unistd.h>
#include "guest.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t free_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static sem_t ready, never_posted;
static int empty_pipe[2];

static void *block(void *index)
{
    char byte;

    CHECK_EQUAL(sem_post(&ready), 0);
    switch ((intptr_t)index) {
    case 0:
        pthread_mutex_lock(&mutex);
        break;
    case 1:
        pthread_mutex_lock(&free_mutex);
        for (;;)
            pthread_cond_wait(&never, &free_mutex);
    case 2:
        sem_wait(&never_posted);
        break;
    case 3:
        CHECK_EQUAL(read(empty_pipe[0], &byte, 1), 1);
        break;
    case 4:
        sleep(1000);
        break;
    }
    CHECK(!"a blocked thread ran");
    return NULL;
}

static void at_exit(void)
{
    puts("atexit");
}

__attribute__((destructor)) static void at_end(void)
{
    puts("EXIT-SUCCESS");
}

int main(void)
{
    CHECK_EQUAL(sem_init(&ready, 0, 0), 0);
    CHECK_EQUAL(sem_init(&never_posted, 0, 0), 0);
    CHECK_EQUAL(pipe(empty_pipe), 0);
    CHECK_EQUAL(pthread_mutex_lock(&mutex), 0);
    CHECK_EQUAL(atexit(at_exit), 0);
    for (intptr_t i = 0; i < 5; i++)
        guest_start(block, (void *)i);
    for (int i = 0; i < 5; i++)
        CHECK_EQUAL(sem_wait(&ready), 0);
    return 0;
}
