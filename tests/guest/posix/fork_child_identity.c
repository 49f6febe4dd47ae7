// SPDX-License-Identifier: MIT
// Claims: in the child of a fork the forking thread is the main thread: its id is the process id and is
// accepted where a thread is named; it can be signalled and, by a thread of the child, be joined; it owns the
// lock that it held.
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <semaphore.h>
#include <sys/wait.h>
#include "guest.h"

static pthread_mutex_t mutex;
static volatile sig_atomic_t handled;
static pthread_t forked;
static sem_t looked_at; // before glibc 2.34 pthread_kill knows no ended thread

static void handler(int number)
{
    CHECK(pthread_equal(pthread_self(), forked));
    handled += number == SIGUSR1;
}

static void *joins(void *argument)
{
    (void)argument;
    CHECK(gettid() != getpid());
    CHECK_EQUAL(pthread_kill(forked, 0), 0);
    CHECK_EQUAL(sem_post(&looked_at), 0);
    CHECK_EQUAL(pthread_mutex_trylock(&mutex), EBUSY);
    // glibc 2.43 waits there for ever, for the word that the kernel clears is no longer the one that fork
    // names.
    if (!__GLIBC_PREREQ(2, 43))
        CHECK(guest_join(forked) == (void *)&mutex);
    CHECK_EQUAL(pthread_kill(pthread_self(), 0), 0);
    _exit(0);
}

static void *forks(void *argument)
{
    (void)argument;
    forked = pthread_self();
    CHECK_EQUAL(pthread_mutex_lock(&mutex), 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child > 0) {
        int status;
        CHECK_EQUAL(waitpid(child, &status, 0), child);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);
        return NULL;
    }
    CHECK_EQUAL(gettid(), getpid());
    CHECK(pthread_equal(pthread_self(), forked));
    CHECK_EQUAL(pthread_kill(forked, SIGUSR1), 0);
    CHECK_EQUAL(handled, 1);
    CHECK_EQUAL(syscall(SYS_tgkill, getpid(), gettid(), SIGUSR1), 0);
    CHECK_EQUAL(handled, 2);
    CHECK_EQUAL(sched_getscheduler(gettid()), sched_getscheduler(0));
    CHECK_EQUAL(sem_init(&looked_at, 0, 0), 0);
    guest_start(joins, NULL);
    CHECK_EQUAL(sem_wait(&looked_at), 0);
    pthread_exit(&mutex);
}

int main(void)
{
    pthread_mutexattr_t attributes;
    CHECK_EQUAL(pthread_mutexattr_init(&attributes), 0);
    CHECK_EQUAL(pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK), 0);
    CHECK_EQUAL(pthread_mutex_init(&mutex, &attributes), 0);
    CHECK(signal(SIGUSR1, handler) != SIG_ERR);
    for (int i = 0; i < 10; i++)
        guest_join(guest_start(forks, NULL));
    return guest_success();
}
