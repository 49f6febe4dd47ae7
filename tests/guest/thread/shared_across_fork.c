// SPDX-License-Identifier: MIT
// Claims: a process-shared mutex and condition variable in shared memory work between the threads of a
// process and the threads of its forked child.
#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include "guest.h"

#define THREADS 4 // in each process
#define ROUNDS  100

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t turned;
    volatile int counter, process; // process: whose turn it is
} * shared;

static int own_process;

static void *body(void *index)
{
    for (int i = 0; i < ROUNDS; i++) {
        CHECK_EQUAL(pthread_mutex_lock(&shared->mutex), 0);
        while (shared->process != own_process)
            CHECK_EQUAL(pthread_cond_wait(&shared->turned, &shared->mutex), 0);
        int seen = shared->counter;
        if (i % 8 == 0)
            sched_yield();
        shared->counter = seen + 1;
        shared->process = !own_process;
        CHECK_EQUAL(pthread_cond_broadcast(&shared->turned), 0);
        CHECK_EQUAL(pthread_mutex_unlock(&shared->mutex), 0);
    }
    return index;
}

int main(void)
{
    pthread_mutexattr_t mutex_attributes;
    pthread_condattr_t cond_attributes;
    pthread_t threads[THREADS];
    int status;

    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(shared != MAP_FAILED);
    CHECK_EQUAL(pthread_mutexattr_init(&mutex_attributes), 0);
    CHECK_EQUAL(pthread_mutexattr_setpshared(&mutex_attributes, PTHREAD_PROCESS_SHARED), 0);
    CHECK_EQUAL(pthread_mutex_init(&shared->mutex, &mutex_attributes), 0);
    CHECK_EQUAL(pthread_condattr_init(&cond_attributes), 0);
    CHECK_EQUAL(pthread_condattr_setpshared(&cond_attributes, PTHREAD_PROCESS_SHARED), 0);
    CHECK_EQUAL(pthread_cond_init(&shared->turned, &cond_attributes), 0);
    shared->process = 1;

    for (intptr_t i = 0; i < THREADS; i++)
        threads[i] = guest_start(body, (void *)i);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        own_process = 1;
        guest_threads(THREADS, body);
        _exit(0);
    }
    for (int i = 0; i < THREADS; i++)
        guest_join(threads[i]);
    CHECK_EQUAL(waitpid(child, &status, 0), child);
    CHECK_EQUAL(status, 0);
    printf("counter: %d\n", shared->counter);
    CHECK_EQUAL(shared->counter, 2 * THREADS * ROUNDS);
    return guest_success();
}
