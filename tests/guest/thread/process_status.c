// SPDX-License-Identifier: MIT
// Claims: a process with threads ends with the right status, however it ends: exit or _exit in a thread,
// return from main, the last thread's return, a fatal signal. Each way is taken in a forked child.
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include "guest.h"

static void *end(void *way)
{
    switch ((intptr_t)way) {
    case 0:
        exit(3);
    case 1:
        _exit(4);
    case 2:
        pause();
        break;
    case 3:
        break; // main has left: the last thread's return is exit(0)
    case 4:
        abort();
    case 5:
        *(volatile int *)NULL = 0;
    }
    return NULL;
}

static void child(intptr_t way)
{
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    pthread_t thread = guest_start(end, (void *)way);
    if (way == 2)
        exit(5);
    if (way == 3)
        pthread_exit((void *)99);
    pthread_join(thread, NULL);
    _exit(98);
}

static void *idle(void *argument)
{
    pthread_mutex_lock((pthread_mutex_t *)argument);
    return NULL;
}

int main(void)
{
    static const int expected[] = {3 << 8, 4 << 8, 5 << 8, 0, SIGABRT, SIGSEGV};
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

    CHECK_EQUAL(pthread_mutex_lock(&mutex), 0);
    pthread_t alive = guest_start(idle, &mutex);
    for (intptr_t way = 0; way < 6; way++) {
        int status;
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0)
            child(way);
        CHECK_EQUAL(waitpid(pid, &status, 0), pid);
        CHECK_EQUAL(status, expected[way]);
        printf("way %ld: status %#x\n", (long)way, (unsigned)status);
        fflush(stdout);
    }
    CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);
    guest_join(alive);
    return guest_success();
}
