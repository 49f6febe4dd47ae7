// SPDX-License-Identifier: MIT
// Mutual exclusion by a lock on a file: each thread has a description of its own, and counts with a plain
// variable.
#ifndef GUEST_IO_LOCK_FILE_H
#define GUEST_IO_LOCK_FILE_H

#include "io.h"

enum { LOCK_THREADS = 8, LOCK_ROUNDS = 50 };

static void (*lock_file_take)(int fd), (*lock_file_leave)(int fd);
static volatile int lock_file_count, lock_file_inside;

static void *lock_file_user(void *unused)
{
    int fd = open("lock", O_RDWR);
    CHECK(fd >= 0);
    for (int i = 0; i < LOCK_ROUNDS; i++) {
        lock_file_take(fd);
        CHECK(lock_file_inside == 0);
        lock_file_inside = 1;
        int count = lock_file_count;
        sched_yield();
        lock_file_count = count + 1;
        lock_file_inside = 0;
        lock_file_leave(fd);
    }
    CHECK(close(fd) == 0);
    return unused;
}

/* Returns how often the lock was taken. */
static inline int lock_file_contend(void (*take)(int fd), void (*leave)(int fd))
{
    int fd = open("lock", O_RDWR | O_CREAT | O_EXCL, 0600);
    CHECK(fd >= 0);
    lock_file_take = take;
    lock_file_leave = leave;
    take(fd); /* all of them wait at first */
    pthread_t thread[LOCK_THREADS];
    for (int i = 0; i < LOCK_THREADS; i++)
        thread[i] = guest_start(lock_file_user, NULL);
    yield_some(200);
    CHECK(lock_file_count == 0);
    leave(fd);
    for (int i = 0; i < LOCK_THREADS; i++)
        guest_join(thread[i]);
    CHECK(close(fd) == 0 && unlink("lock") == 0);
    return lock_file_count;
}

#endif
