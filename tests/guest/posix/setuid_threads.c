// SPDX-License-Identifier: MIT
// Claims: the user and group ids belong to the process: after one thread has given up root all threads are
// without, those blocked meanwhile too, in what they are told and in what they may do. Needs root, else it is
// skipped.
#include <fcntl.h>
#include <semaphore.h>
#include <sys/stat.h>
#include "guest.h"

#define THREADS 24
#define NOBODY  65534

static sem_t ready, go;

static void *body(void *index)
{
    CHECK_EQUAL(geteuid(), 0);
    CHECK_EQUAL(sem_post(&ready), 0);
    if ((intptr_t)index % 2) {
        CHECK_EQUAL(sem_wait(&go), 0);
    } else { // off the processor, in a call that waits in the kernel's own way
        while (sem_trywait(&go) != 0)
            usleep(500);
    }
    CHECK_EQUAL(geteuid(), NOBODY);
    CHECK_EQUAL(getegid(), NOBODY);
    for (int i = 0; i < 20; i++) {
        errno = 0;
        CHECK(open("root-only", O_RDONLY) < 0);
        CHECK_EQUAL(errno, EACCES);
        CHECK(setuid(0) < 0);
        usleep(100);
    }
    return NULL;
}

static void *drops(void *argument)
{
    (void)argument;
    CHECK_EQUAL(setgid(NOBODY), 0);
    CHECK_EQUAL(setuid(NOBODY), 0);
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    if (geteuid() != 0) {
        puts("not root");
        return 77;
    }
    int fd = open("root-only", O_CREAT | O_WRONLY, 0600);
    CHECK(fd >= 0);
    CHECK_EQUAL(fchmod(fd, 0), 0);
    CHECK_EQUAL(close(fd), 0);
    CHECK_EQUAL(chmod(".", 0755), 0); // found by all, read by root only
    CHECK(sem_init(&ready, 0, 0) == 0 && sem_init(&go, 0, 0) == 0);
    for (intptr_t i = 0; i < THREADS; i++)
        threads[i] = guest_start(body, (void *)i);
    for (int i = 0; i < THREADS; i++)
        CHECK_EQUAL(sem_wait(&ready), 0);
    guest_join(guest_start(drops, NULL));
    for (int i = 0; i < THREADS; i++)
        CHECK_EQUAL(sem_post(&go), 0);
    for (int i = 0; i < THREADS; i++)
        guest_join(threads[i]);
    CHECK_EQUAL(geteuid(), NOBODY);
    return guest_success();
}
