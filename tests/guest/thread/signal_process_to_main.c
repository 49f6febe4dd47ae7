// SPDX-License-Identifier: MIT
// Claims: a signal that another process sends to this one is main's while main does not block it, though
// others do not block it either and are in the middle of their system calls when it comes.
#include <poll.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/wait.h>
#include "guest.h"

enum { WORKERS = 4, SIGNALS = 1000 };

static pthread_t main_thread;
static sem_t started;
static int handled[2], stop;

static void handle(int number)
{
    char who = pthread_equal(pthread_self(), main_thread) ? 'm' : 'o';
    (void)number;
    CHECK_EQUAL(write(handled[1], &who, 1), 1);
}

static void *work(void *unused)
{
    char byte = 0;
    int ends[2];
    (void)unused;
    CHECK_EQUAL(pipe(ends), 0);
    CHECK_EQUAL(sem_post(&started), 0);
    while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
        CHECK_EQUAL(write(ends[1], &byte, 1), 1);
        CHECK_EQUAL(read(ends[0], &byte, 1), 1);
        sched_yield();
    }
    return NULL;
}

// One at a time: each is handled before the next is sent.
static int send_all(pid_t receiver)
{
    int by_main = 0;
    char who;
    for (int i = 0; i < SIGNALS; i++) {
        CHECK_EQUAL(kill(receiver, SIGUSR1), 0);
        CHECK_EQUAL(read(handled[0], &who, 1), 1);
        by_main += who == 'm';
    }
    return by_main;
}

int main(void)
{
    // Main never blocks it, not even in the handler, which tells the sender before it returns.
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_NODEFER};
    pthread_t workers[WORKERS];
    int ended[2], status;

    main_thread = pthread_self();
    CHECK_EQUAL(sem_init(&started, 0, 0), 0);
    CHECK_EQUAL(pipe(handled), 0);
    CHECK_EQUAL(pipe(ended), 0);
    CHECK_EQUAL(sigaction(SIGUSR1, &action, NULL), 0);
    for (int i = 0; i < WORKERS; i++)
        workers[i] = guest_start(work, NULL);
    for (int i = 0; i < WORKERS; i++)
        CHECK_EQUAL(sem_wait(&started), 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        printf("%d of %d handled by main\n", send_all(getppid()), SIGNALS);
        exit(0);
    }
    CHECK_EQUAL(close(ended[1]), 0);
    struct pollfd end = {.fd = ended[0], .events = POLLIN};
    while (poll(&end, 1, -1) < 0)
        CHECK_EQUAL(errno, EINTR);
    CHECK_EQUAL(waitpid(child, &status, 0), child);
    CHECK_EQUAL(status, 0);
    __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
    for (int i = 0; i < WORKERS; i++)
        guest_join(workers[i]);
    return guest_success();
}
