// SPDX-License-Identifier: MIT
// Claims: of many threads that wait for the same signals each signal wakes one; signals from another process
// and from threads, for the process and for a thread; sigtimedwait ends in time meanwhile, and a handler
// interrupts sigwaitinfo.
#include <semaphore.h>
#include <signal.h>
#include <sys/wait.h>
#include "guest.h"

#define THREADS 10
#define EACH    20

static sigset_t set;
static int taken, last;
static sem_t got, interrupted;

static void *take(void *argument)
{
    siginfo_t info;
    (void)argument;
    for (;;) {
        int number = sigwaitinfo(&set, &info);
        if (number < 0) {
            CHECK_EQUAL(errno, EINTR);
            CHECK_EQUAL(sem_post(&interrupted), 0);
            continue;
        }
        if (number == SIGTERM)
            return (void *)1;
        __atomic_fetch_add(&taken, info.si_value.sival_int, __ATOMIC_RELAXED);
        CHECK_EQUAL(sem_post(&got), 0);
    }
}

static void *expire(void *argument)
{
    sigset_t other;
    struct timespec time = {0, 3000000};
    (void)argument;
    sigemptyset(&other);
    sigaddset(&other, SIGUSR2);
    for (int i = 0; i < 10; i++) {
        CHECK_EQUAL(sigtimedwait(&other, NULL, &time), -1);
        CHECK_EQUAL(errno, EAGAIN);
    }
    return (void *)1;
}

static void handle(int number)
{
    last = number;
}

int main(void)
{
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
    pthread_t threads[THREADS];
    intptr_t ended = 0;
    int status;

    CHECK_EQUAL(sem_init(&got, 0, 0), 0);
    CHECK_EQUAL(sem_init(&interrupted, 0, 0), 0);
    CHECK_EQUAL(sigaction(SIGUSR1, &action, NULL), 0);
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGUSR2);
    CHECK_EQUAL(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
    sigdelset(&set, SIGUSR2);
    for (int i = 0; i < THREADS; i++)
        threads[i] = guest_start(take, NULL);
    pthread_t expiring = guest_start(expire, NULL);
    pid_t parent = getpid(), child = fork();
    if (child == 0) {
        for (int i = 1; i <= EACH; i++)
            CHECK_EQUAL(sigqueue(parent, SIGRTMIN, (union sigval){.sival_int = i}), 0);
        _exit(0);
    }
    for (int i = 1; i <= EACH; i++) {
        CHECK_EQUAL(sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 100 * i}), 0);
        CHECK_EQUAL(pthread_sigqueue(threads[i % THREADS], SIGRTMIN, (union sigval){.sival_int = 10000 * i}),
                    0);
    }
    for (int i = 0; i < 3 * EACH; i++)
        CHECK_EQUAL(sem_wait(&got), 0);
    CHECK_EQUAL(waitpid(child, &status, 0), child);
    CHECK_EQUAL(status, 0);
    for (int i = 0; i < THREADS; i++)
        do
            CHECK_EQUAL(pthread_kill(threads[i], SIGUSR1), 0);
        while (usleep(300), sem_trywait(&interrupted) != 0);
    CHECK_EQUAL(last, SIGUSR1);
    for (int i = 0; i < THREADS; i++)
        CHECK_EQUAL(pthread_kill(threads[i], SIGTERM), 0);
    for (int i = 0; i < THREADS; i++)
        ended += (intptr_t)guest_join(threads[i]);
    guest_join(expiring);
    printf("taken %d by %ld\n", taken, (long)ended);
    CHECK_EQUAL(taken, EACH * (EACH + 1) / 2 * 10101);
    return guest_success();
}
