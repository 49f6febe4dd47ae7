// SPDX-License-Identifier: MIT
// Claims: a thread that overflows its stack is stopped by the guard below it: the process ends by SIGSEGV
// instead of writing into other memory. The overflow happens in a forked child, with other threads alive
// around it.
#include <semaphore.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include "guest.h"

#define NEIGHBOURS 8

static sem_t never;

static unsigned overflow(unsigned depth)
{
    volatile unsigned char frame[1000];
    frame[0] = (unsigned char)depth;
    if (depth == 0)
        return 0;
    return overflow(depth - 1) + frame[0]; // not a tail call
}

static void *neighbour(void *argument)
{
    sem_wait(&never);
    return argument;
}

static void *body(void *argument)
{
    (void)argument;
    return (void *)(uintptr_t)overflow(1u << 20);
}

int main(void)
{
    pthread_attr_t attributes;
    pthread_t thread;
    int status;

    CHECK_EQUAL(sem_init(&never, 0, 0), 0);
    CHECK_EQUAL(pthread_attr_init(&attributes), 0);
    CHECK_EQUAL(pthread_attr_setstacksize(&attributes, 128 << 10), 0);
    guest_start(neighbour, NULL);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        for (int i = 0; i < NEIGHBOURS; i++)
            CHECK_EQUAL(pthread_create(&thread, &attributes, i == NEIGHBOURS / 2 ? body : neighbour, NULL),
                        0);
        sem_wait(&never);
        _exit(1);
    }
    CHECK_EQUAL(waitpid(child, &status, 0), child);
    CHECK(WIFSIGNALED(status));
    CHECK_EQUAL(WTERMSIG(status), SIGSEGV);
    return guest_success();
}
