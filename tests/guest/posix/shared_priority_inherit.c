// SPDX-License-Identifier: MIT
// Claims: a process-shared mutex with priority inheritance excludes the threads of a process and of its
// forked child, times out, and is robust when it is that too: the child ends while it holds it, and one of
// the parent gets it.
#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include "guest.h"

#define THREADS 3
#define ROUNDS  40

static struct shared {
    pthread_mutex_t mutex;
    pthread_barrier_t barrier;
    int counter;
} * shared;

static void *counts(void *argument)
{
    (void)argument;
    for (int i = 0; i < ROUNDS; i++) {
        CHECK_EQUAL(pthread_mutex_lock(&shared->mutex), 0);
        int seen = shared->counter;
        sched_yield();
        shared->counter = seen + 1;
        CHECK_EQUAL(pthread_mutex_unlock(&shared->mutex), 0);
    }
    return NULL;
}

static void *dies(void *argument)
{
    CHECK_EQUAL(pthread_mutex_lock(&shared->mutex), 0);
    pthread_barrier_wait(&shared->barrier);
    pthread_barrier_wait(&shared->barrier); // the parent has timed out
    return argument;
}

static void *inherits(void *argument)
{
    (void)argument;
    pthread_barrier_wait(&shared->barrier);
    struct timespec soon = guest_timespec(guest_now(CLOCK_REALTIME) + 5 * GUEST_MILLISECOND);
    CHECK_EQUAL(pthread_mutex_timedlock(&shared->mutex, &soon), ETIMEDOUT);
    pthread_barrier_wait(&shared->barrier);
    CHECK_EQUAL(pthread_mutex_lock(&shared->mutex), EOWNERDEAD);
    CHECK_EQUAL(pthread_mutex_consistent(&shared->mutex), 0);
    CHECK_EQUAL(pthread_mutex_unlock(&shared->mutex), 0);
    return NULL;
}

static void both(void *(*in_parent)(void *), void *(*in_child)(void *), int threads)
{
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        guest_threads(threads, in_child);
        _exit(0);
    }
    guest_threads(threads, in_parent);
    int status;
    CHECK_EQUAL(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void)
{
    pthread_mutexattr_t attributes;
    pthread_barrierattr_t barrier;
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(shared != MAP_FAILED);
    CHECK_EQUAL(pthread_barrierattr_init(&barrier), 0);
    CHECK_EQUAL(pthread_barrierattr_setpshared(&barrier, PTHREAD_PROCESS_SHARED), 0);
    CHECK_EQUAL(pthread_barrier_init(&shared->barrier, &barrier, 2), 0);
    CHECK_EQUAL(pthread_mutexattr_init(&attributes), 0);
    CHECK_EQUAL(pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED), 0);
    CHECK_EQUAL(pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT), 0);
    for (int robust = 0; robust < 2; robust++) {
        if (robust)
            CHECK_EQUAL(pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST), 0);
        CHECK_EQUAL(pthread_mutex_init(&shared->mutex, &attributes), 0);
        shared->counter = 0;
        both(counts, counts, THREADS);
        CHECK_EQUAL(shared->counter, 2 * THREADS * ROUNDS);
    }
    both(inherits, dies, 1);
    return guest_success();
}
