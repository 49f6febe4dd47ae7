// SPDX-License-Identifier: MIT
// Claims: when a process ends while one of its threads holds a robust process-shared mutex, a thread of
// another process, blocked in it, gets it with EOWNERDEAD.
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include "guest.h"

static struct {
    pthread_mutex_t mutex;
    sem_t locked, end;
} * shared;

static void *lock_and_wait(void *argument)
{
    CHECK_EQUAL(pthread_mutex_lock(&shared->mutex), 0);
    CHECK_EQUAL(sem_post(&shared->locked), 0);
    CHECK_EQUAL(sem_wait(&shared->end), 0);
    _exit(5);
    return argument;
}

static void *inherit(void *argument)
{
    CHECK_EQUAL(pthread_mutex_lock(&shared->mutex), EOWNERDEAD);
    CHECK_EQUAL(pthread_mutex_consistent(&shared->mutex), 0);
    CHECK_EQUAL(pthread_mutex_unlock(&shared->mutex), 0);
    return argument;
}

int main(void)
{
    pthread_mutexattr_t attributes;
    int status;

    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(shared != MAP_FAILED);
    CHECK_EQUAL(pthread_mutexattr_init(&attributes), 0);
    CHECK_EQUAL(pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED), 0);
    CHECK_EQUAL(pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST), 0);
    CHECK_EQUAL(pthread_mutex_init(&shared->mutex, &attributes), 0);
    CHECK_EQUAL(sem_init(&shared->locked, 1, 0), 0);
    CHECK_EQUAL(sem_init(&shared->end, 1, 0), 0);

    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        guest_join(guest_start(lock_and_wait, NULL));
        _exit(1);
    }
    CHECK_EQUAL(sem_wait(&shared->locked), 0);
    pthread_t heir = guest_start(inherit, NULL);
    CHECK_EQUAL(pthread_mutex_trylock(&shared->mutex), EBUSY);
    CHECK_EQUAL(sem_post(&shared->end), 0);
    guest_join(heir);
    CHECK_EQUAL(waitpid(child, &status, 0), child);
    CHECK_EQUAL(status, 5 << 8);
    return guest_success();
}
