// SPDX-License-Identifier: MIT
// Threads wait for a mutex that another process holds and for a semaphore that it posts, both shared between
// processes; a hundred others go on.
#include "helper.h"
#include <semaphore.h>
#include <sys/mman.h>

static struct {
    pthread_mutex_t mutex;
    sem_t semaphore;
} * shared;

static void obey(char command)
{
    if (command == 'l')
        CHECK_EQUAL(pthread_mutex_lock(&shared->mutex), 0);
    else if (command == 'u')
        CHECK_EQUAL(pthread_mutex_unlock(&shared->mutex), 0);
    else
        CHECK(sem_post(&shared->semaphore) == 0);
}

static void prepare(int threads)
{
    (void)threads;
    helper_tell('l');
}

static void block(int index)
{
    if (index % 2) {
        CHECK(sem_wait(&shared->semaphore) == 0);
    } else {
        CHECK_EQUAL(pthread_mutex_lock(&shared->mutex), 0);
        CHECK_EQUAL(pthread_mutex_unlock(&shared->mutex), 0);
    }
}

static void release(int threads)
{
    helper_tell('u');
    for (int i = 1; i < threads; i += 2)
        helper_tell('p');
}

int main(void)
{
    static const struct stuck kind = {prepare, block, release};
    pthread_mutexattr_t attributes;
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(shared != MAP_FAILED);
    CHECK(pthread_mutexattr_init(&attributes) == 0);
    CHECK(pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED) == 0);
    CHECK(pthread_mutex_init(&shared->mutex, &attributes) == 0);
    CHECK(sem_init(&shared->semaphore, 1, 0) == 0);
    helper_start(obey);
    int result = stuck_run(&kind);
    helper_end();
    return result;
}
