// SPDX-License-Identifier: MIT
// Claims: nothing at all: a program without threads, which sleeps, locks, prints, forks and starts a command.
// The preloaded object must leave it alone.
#include <semaphore.h>
#include <sys/wait.h>
#include "guest.h"

int main(void)
{
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    sem_t semaphore;
    int status;

    CHECK_EQUAL(pthread_mutex_lock(&mutex), 0);
    CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);
    CHECK_EQUAL(sem_init(&semaphore, 0, 1), 0);
    CHECK_EQUAL(sem_wait(&semaphore), 0);
    CHECK_EQUAL(usleep(1000), 0);
    CHECK_EQUAL(system("exit 3"), 3 << 8);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0)
        _exit(4);
    CHECK_EQUAL(waitpid(pid, &status, 0), pid);
    CHECK_EQUAL(status, 4 << 8);
    return guest_success();
}
