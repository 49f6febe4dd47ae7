// SPDX-License-Identifier: MIT
// Claims: every living thread has a thread id of its own that blocking does not change; main's is the process
// id; the kernel's interfaces that take such an id accept it.
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include "guest.h"

#define THREADS 32

static pthread_barrier_t meeting;
static pid_t ids[THREADS];

static void *body(void *index)
{
    pid_t id = gettid();
    ids[(intptr_t)index] = id;
    CHECK(id > 0);
    for (int i = 0; i < 10; i++) {
        CHECK_EQUAL(gettid(), id);
        CHECK_EQUAL(syscall(SYS_gettid), id);
        CHECK_EQUAL(getpid(), syscall(SYS_getpid));
        CHECK_EQUAL(syscall(SYS_tgkill, getpid(), id, 0), 0);
        sched_yield();
        usleep(1);
        pthread_barrier_wait(&meeting);
    }
    pthread_barrier_wait(&meeting); // main looks
    pthread_barrier_wait(&meeting); // main has looked
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];

    CHECK_EQUAL(pthread_barrier_init(&meeting, NULL, THREADS + 1), 0);
    for (intptr_t i = 0; i < THREADS; i++)
        threads[i] = guest_start(body, (void *)i);
    for (int i = 0; i < 11; i++)
        pthread_barrier_wait(&meeting);

    CHECK_EQUAL(gettid(), getpid());
    for (int i = 0; i < THREADS; i++) {
        CHECK(ids[i] != getpid());
        for (int j = 0; j < i; j++)
            CHECK(ids[i] != ids[j]);
        CHECK_EQUAL(pthread_kill(threads[i], 0), 0);
        CHECK_EQUAL(tgkill(getpid(), ids[i], 0), 0);
    }
    pthread_barrier_wait(&meeting);
    for (int i = 0; i < THREADS; i++)
        guest_join(threads[i]);
    return guest_success();
}
