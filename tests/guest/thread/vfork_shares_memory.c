// SPDX-License-Identifier: MIT
// Claims: the child of vfork has the memory of its parent: what it writes, to locals and thread-local
// variables too, the parent finds. It has the parent's signal mask, handlers and alternate stack, and so has
// the program that it executes. Other threads run on meanwhile; the child uses locks and semaphores with
// them, both ways, as it could natively.
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/wait.h>
#include "guest.h"

enum { THREADS = 4, CHILDREN = 8, ROUNDS = 2000, ALTERNATE = 64 << 10 };

static __thread char *alternate;
static __thread volatile int own;
static __thread volatile sig_atomic_t handled;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long counted; // protected by lock
static atomic_bool done;
static atomic_int questions;
static sem_t asked, answered;

static void reap(pid_t child, int status)
{
    int found;
    CHECK(child > 0);
    CHECK_EQUAL(waitpid(child, &found, 0), child);
    CHECK_EQUAL(found, status << 8);
}

static void on_signal(int number)
{
    char here;
    handled = number == SIGUSR1 && &here >= alternate && &here < alternate + ALTERNATE ? 1 : -1;
}

static void set_alternate(void)
{
    alternate = malloc(ALTERNATE);
    const stack_t stack = {.ss_sp = alternate, .ss_size = ALTERNATE};
    CHECK_EQUAL(sigaltstack(&stack, NULL), 0);
}

static void *writes(void *index)
{
    volatile long local = 0;
    set_alternate();
    for (volatile int i = 0; i < CHILDREN; i++) {
        pid_t child = vfork();
        if (child == 0) {
            local = (intptr_t)index + i;
            own = (int)local + 1;
            handled = 0;
            raise(SIGUSR1);
            execl("/no/such/program", "program", (char *)NULL);
            _exit(7);
        }
        CHECK_EQUAL(errno, ENOENT);
        reap(child, 7);
        CHECK_EQUAL(local, (intptr_t)index + i);
        CHECK_EQUAL(own, local + 1);
        CHECK_EQUAL(handled, 1);
    }
    return (void *)1;
}

static void *counts(void *index)
{
    (void)index;
    while (!atomic_load(&done)) {
        CHECK_EQUAL(pthread_mutex_lock(&lock), 0);
        counted++;
        CHECK_EQUAL(pthread_mutex_unlock(&lock), 0);
    }
    return NULL;
}

// Waits for a child only when there is one.
static void *answers(void *unused)
{
    for (int i = 0; i < CHILDREN * ROUNDS; i++) {
        while (atomic_load(&questions) == i)
            sched_yield();
        CHECK_EQUAL(sem_wait(&asked), 0);
        CHECK_EQUAL(sem_post(&answered), 0);
    }
    return unused;
}

static void count_in_child(void)
{
    for (int round = 0; round < ROUNDS; round++) {
        atomic_fetch_add(&questions, 1);
        CHECK_EQUAL(pthread_mutex_lock(&lock), 0);
        counted++;
        CHECK_EQUAL(pthread_mutex_unlock(&lock), 0);
        CHECK_EQUAL(sem_post(&asked), 0);
        CHECK_EQUAL(sem_wait(&answered), 0);
    }
}

static void *counts_in_children(void *unused)
{
    for (volatile int i = 0; i < CHILDREN; i++) {
        pid_t child = vfork();
        if (child == 0) {
            count_in_child();
            _exit(0);
        }
        reap(child, 0);
    }
    atomic_store(&done, true);
    return unused;
}

static void *executes(void *unused)
{
    sigset_t set;
    CHECK(sigemptyset(&set) == 0 && sigaddset(&set, SIGUSR2) == 0 && sigaddset(&set, SIGTERM) == 0);
    CHECK_EQUAL(pthread_sigmask(SIG_SETMASK, &set, NULL), 0);
    pid_t child = vfork();
    if (child == 0) {
        execlp("grep", "grep", "Sig[BIC]", "/proc/self/status", (char *)NULL);
        _exit(1);
    }
    reap(child, 0);
    return unused;
}

int main(void)
{
    pthread_t threads[THREADS];
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
    CHECK_EQUAL(sigaction(SIGUSR1, &action, NULL), 0);
    action.sa_handler = SIG_IGN;
    CHECK_EQUAL(sigaction(SIGHUP, &action, NULL), 0);
    CHECK(sem_init(&asked, 0, 0) == 0 && sem_init(&answered, 0, 0) == 0);
    CHECK_EQUAL(guest_threads(THREADS, writes), THREADS);
    guest_join(guest_start(executes, NULL));
    for (int i = 0; i < THREADS; i++)
        threads[i] = guest_start(counts, NULL);
    pthread_t answerer = guest_start(answers, NULL);
    guest_join(guest_start(counts_in_children, NULL));
    guest_join(answerer);
    for (int i = 0; i < THREADS; i++)
        guest_join(threads[i]);
    CHECK(counted >= ROUNDS * CHILDREN);
    return guest_success();
}
