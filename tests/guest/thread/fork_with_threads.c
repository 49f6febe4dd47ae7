// SPDX-License-Identifier: MIT
// Claims: a child that main forks while threads live has one thread and can create more, which synchronise
// and end; the parent's threads go on undisturbed.
#include <semaphore.h>
#include <sys/wait.h>
#include "guest.h"

#define THREADS 8

static sem_t released;
static pthread_barrier_t meeting;

static void *wait_for_release(void *index)
{
    CHECK_EQUAL(sem_wait(&released), 0);
    return index;
}

static void *meet(void *index)
{
    CHECK_EQUAL(getpid() == gettid(), 0);
    pthread_barrier_wait(&meeting);
    usleep(1);
    return index;
}

static void child(int round)
{
    CHECK_EQUAL(gettid(), getpid());
    CHECK_EQUAL(pthread_barrier_init(&meeting, NULL, THREADS), 0);
    CHECK_EQUAL(guest_threads(THREADS, meet), THREADS * (THREADS - 1) / 2);
    guest_start(wait_for_release, NULL); // still blocked at the end
    exit(40 + round);
}

int main(void)
{
    pthread_t threads[THREADS];
    int status;

    CHECK_EQUAL(sem_init(&released, 0, 0), 0);
    for (intptr_t i = 0; i < THREADS; i++)
        threads[i] = guest_start(wait_for_release, (void *)i);
    for (int round = 0; round < 5; round++) {
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0)
            child(round);
        CHECK_EQUAL(waitpid(pid, &status, 0), pid);
        printf("child's status: %d\n", WEXITSTATUS(status));
        fflush(stdout);
        CHECK_EQUAL(status, (40 + round) << 8);
    }
    for (int i = 0; i < THREADS; i++)
        CHECK_EQUAL(sem_post(&released), 0);
    for (int i = 0; i < THREADS; i++)
        guest_join(threads[i]);
    return guest_success();
}
