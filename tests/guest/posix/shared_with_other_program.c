// SPDX-License-Identifier: MIT
// Claims: mutex, condition variable, rwlock, barrier and semaphore in shared memory work between the threads
// of two programs, of which one is started without LD_PRELOAD; and between two that are started alike.
#include <sched.h>
#include "shared_objects.h"

#define THREADS 3
#define ROUNDS  15

static struct shared *shared;
static int program; // 0 and 1

static void add(int *counter)
{
    int seen = *counter;
    sched_yield();
    *counter = seen + 1;
}

static void *body(void *index)
{
    int me = 2 * (int)(intptr_t)index + program;
    for (int i = 0; i < ROUNDS; i++) {
        CHECK_EQUAL(pthread_mutex_lock(&shared->mutex), 0);
        while (shared->turn != me) // so the programs take turns
            CHECK_EQUAL(pthread_cond_wait(&shared->changed, &shared->mutex), 0);
        shared->turn = (me + 1) % (2 * THREADS);
        add(&shared->counter);
        CHECK_EQUAL(pthread_cond_broadcast(&shared->changed), 0);
        CHECK_EQUAL(pthread_mutex_unlock(&shared->mutex), 0);

        CHECK_EQUAL(pthread_rwlock_wrlock(&shared->rwlock), 0);
        add(&shared->by_rwlock);
        CHECK_EQUAL(pthread_rwlock_unlock(&shared->rwlock), 0);
        CHECK_EQUAL(pthread_rwlock_rdlock(&shared->rwlock), 0);
        CHECK_EQUAL(pthread_rwlock_unlock(&shared->rwlock), 0);

        CHECK_EQUAL(sem_wait(&shared->semaphore), 0);
        add(&shared->by_semaphore);
        CHECK_EQUAL(sem_post(&shared->semaphore), 0);

        int result = pthread_barrier_wait(&shared->barrier);
        CHECK(result == 0 || result == PTHREAD_BARRIER_SERIAL_THREAD);
    }
    return NULL;
}

static void meet(const char *self, char *mode)
{
    char path[] = "shared-XXXXXX";
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    CHECK_EQUAL(close(fd), 0);
    shared = shared_map(path);
    shared_init(shared, 2 * THREADS);
    CHECK_EQUAL(setenv("SHARED_FILE", path, 1), 0);
    pid_t child = shared_spawn(self, mode);
    guest_threads(THREADS, body);
    shared_await(child);
    printf("%s: %d %d %d\n", mode, shared->counter, shared->by_rwlock, shared->by_semaphore);
    CHECK(shared->counter == 2 * THREADS * ROUNDS && shared->by_rwlock == shared->counter &&
          shared->by_semaphore == shared->counter);
    CHECK_EQUAL(munmap(shared, sizeof *shared), 0);
}

int main(int count, char **arguments)
{
    if (count > 1) {
        program = 1;
        shared = shared_map(getenv("SHARED_FILE"));
        guest_threads(THREADS, body);
        return 0;
    }
    meet(arguments[0], "alike");
    CHECK_EQUAL(unsetenv("LD_PRELOAD"), 0);
    meet(arguments[0], "without preload");
    return guest_success();
}
