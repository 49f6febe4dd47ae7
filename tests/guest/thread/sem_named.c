// SPDX-License-Identifier: MIT
// Claims: a named semaphore, which is process-shared, works between threads of one process and with a forked
// child.
#include <fcntl.h>
#include <semaphore.h>
#include <sys/wait.h>
#include "guest.h"

#define THREADS 8

static sem_t *semaphore;

static void *body(void *index)
{
    CHECK_EQUAL(sem_wait(semaphore), 0);
    return index;
}

int main(void)
{
    pthread_t threads[THREADS];
    char name[64];
    int status;

    snprintf(name, sizeof(name), "/weft-guest-%d", getpid());
    semaphore = sem_open(name, O_CREAT | O_EXCL, 0600, 0);
    CHECK(semaphore != SEM_FAILED);
    CHECK_EQUAL(sem_unlink(name), 0);
    for (intptr_t i = 0; i < THREADS; i++)
        threads[i] = guest_start(body, (void *)i);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        for (int i = 0; i < THREADS / 2; i++)
            CHECK_EQUAL(sem_post(semaphore), 0);
        _exit(0);
    }
    for (int i = 0; i < THREADS / 2; i++)
        CHECK_EQUAL(sem_post(semaphore), 0);
    for (int i = 0; i < THREADS; i++)
        guest_join(threads[i]);
    CHECK_EQUAL(waitpid(child, &status, 0), child);
    CHECK_EQUAL(status, 0);
    CHECK_EQUAL(sem_close(semaphore), 0);
    return guest_success();
}
