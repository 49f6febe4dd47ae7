// SPDX-License-Identifier: MIT
// Claims: the owner of a process-shared mutex is one thread of one process. The first threads of two
// programs, which start alike, exclude each other from a recursive and from an error-checking mutex: neither
// takes the other's lock for its own.
#include "shared_objects.h"

static struct shared *shared;

static void *holds(void *argument)
{
    (void)argument;
    CHECK_EQUAL(pthread_mutex_lock(&shared->recursive), 0);
    CHECK_EQUAL(pthread_mutex_lock(&shared->recursive), 0);
    CHECK_EQUAL(pthread_mutex_lock(&shared->checking), 0);
    CHECK_EQUAL(pthread_mutex_lock(&shared->checking), EDEADLK);
    pthread_barrier_wait(&shared->barrier);
    pthread_barrier_wait(&shared->barrier); // the other one has tried
    CHECK_EQUAL(pthread_mutex_unlock(&shared->checking), 0);
    CHECK_EQUAL(pthread_mutex_unlock(&shared->recursive), 0);
    CHECK_EQUAL(pthread_mutex_unlock(&shared->recursive), 0);
    return NULL;
}

static void *tries(void *argument)
{
    (void)argument;
    pthread_barrier_wait(&shared->barrier);
    CHECK_EQUAL(pthread_mutex_trylock(&shared->recursive), EBUSY);
    CHECK_EQUAL(pthread_mutex_unlock(&shared->recursive), EPERM);
    CHECK_EQUAL(pthread_mutex_trylock(&shared->checking), EBUSY);
    CHECK_EQUAL(pthread_mutex_unlock(&shared->checking), EPERM);
    struct timespec past = {0};
    CHECK_EQUAL(pthread_mutex_timedlock(&shared->checking, &past), ETIMEDOUT);
    pthread_barrier_wait(&shared->barrier);
    CHECK_EQUAL(pthread_mutex_lock(&shared->checking), 0);
    CHECK_EQUAL(pthread_mutex_lock(&shared->recursive), 0);
    return NULL;
}

int main(int count, char **arguments)
{
    shared = shared_map("shared");
    if (count > 1) {
        guest_join(guest_start(tries, NULL));
        return 0;
    }
    shared_init(shared, 2);
    pid_t child = shared_spawn(arguments[0], "child");
    guest_join(guest_start(holds, NULL));
    shared_await(child);
    return guest_success();
}
