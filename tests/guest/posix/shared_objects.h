// SPDX-License-Identifier: MIT
// Process-shared objects in a file that two programs map.
#ifndef SHARED_OBJECTS_H
#define SHARED_OBJECTS_H

#include <fcntl.h>
#include <semaphore.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include "guest.h"

extern char **environ;

struct shared {
    pthread_mutex_t mutex, recursive, checking;
    pthread_cond_t changed;
    pthread_rwlock_t rwlock;
    pthread_barrier_t barrier;
    sem_t semaphore;
    int counter, by_rwlock, turn, by_semaphore, depth;
};

static inline struct shared *shared_map(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT, 0600);
    CHECK(fd >= 0);
    CHECK_EQUAL(ftruncate(fd, sizeof(struct shared)), 0);
    void *memory = mmap(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(memory != MAP_FAILED);
    CHECK_EQUAL(close(fd), 0);
    return memory;
}

static inline void shared_mutex(pthread_mutex_t *mutex, int type)
{
    pthread_mutexattr_t attributes;
    CHECK_EQUAL(pthread_mutexattr_init(&attributes), 0);
    CHECK_EQUAL(pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED), 0);
    CHECK_EQUAL(pthread_mutexattr_settype(&attributes, type), 0);
    CHECK_EQUAL(pthread_mutex_init(mutex, &attributes), 0);
    CHECK_EQUAL(pthread_mutexattr_destroy(&attributes), 0);
}

static inline void shared_init(struct shared *shared, int parties)
{
    pthread_condattr_t condition;
    pthread_rwlockattr_t rwlock;
    pthread_barrierattr_t barrier;
    shared_mutex(&shared->mutex, PTHREAD_MUTEX_NORMAL);
    shared_mutex(&shared->recursive, PTHREAD_MUTEX_RECURSIVE);
    shared_mutex(&shared->checking, PTHREAD_MUTEX_ERRORCHECK);
    CHECK_EQUAL(pthread_condattr_init(&condition), 0);
    CHECK_EQUAL(pthread_condattr_setpshared(&condition, PTHREAD_PROCESS_SHARED), 0);
    CHECK_EQUAL(pthread_cond_init(&shared->changed, &condition), 0);
    CHECK_EQUAL(pthread_rwlockattr_init(&rwlock), 0);
    CHECK_EQUAL(pthread_rwlockattr_setpshared(&rwlock, PTHREAD_PROCESS_SHARED), 0);
    CHECK_EQUAL(pthread_rwlock_init(&shared->rwlock, &rwlock), 0);
    CHECK_EQUAL(pthread_barrierattr_init(&barrier), 0);
    CHECK_EQUAL(pthread_barrierattr_setpshared(&barrier, PTHREAD_PROCESS_SHARED), 0);
    CHECK_EQUAL(pthread_barrier_init(&shared->barrier, &barrier, (unsigned)parties), 0);
    CHECK_EQUAL(sem_init(&shared->semaphore, 1, 1), 0);
}

// Starts this program again, as `name mode`, and returns its process id.
static inline pid_t shared_spawn(const char *program, char *mode)
{
    char *arguments[] = {(char *)program, mode, NULL};
    pid_t child;
    CHECK_EQUAL(posix_spawn(&child, program, NULL, NULL, arguments, environ), 0);
    return child;
}

static inline void shared_await(pid_t child)
{
    int status;
    CHECK_EQUAL(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

#endif
