// SPDX-License-Identifier: MIT
// Claims: sigwait, sigwaitinfo and sigtimedwait in a thread take signals that all threads block: sent to the
// process or to that thread, queued ones with their values in order; without one the last times out, not
// early.
#include <semaphore.h>
#include <signal.h>
#include "guest.h"

static sigset_t set;
static sem_t taken;

static void *take(void *argument)
{
    siginfo_t info;
    int number;

    (void)argument;
    CHECK_EQUAL(sigwait(&set, &number), 0);
    CHECK_EQUAL(number, SIGUSR1);
    CHECK_EQUAL(sem_post(&taken), 0);
    for (int i = 0; i < 10; i++) {
        CHECK_EQUAL(sigwaitinfo(&set, &info), SIGRTMIN);
        CHECK_EQUAL(info.si_code, SI_QUEUE);
        CHECK_EQUAL(info.si_value.sival_int, i);
    }
    CHECK_EQUAL(sem_post(&taken), 0);
    CHECK_EQUAL(sigwaitinfo(&set, &info), SIGUSR2);
    CHECK_EQUAL(info.si_code, SI_USER);

    int64_t deadline = guest_now(CLOCK_MONOTONIC) + 10 * GUEST_MILLISECOND;
    struct timespec time = guest_timespec(10 * GUEST_MILLISECOND);
    CHECK_EQUAL(sigtimedwait(&set, &info, &time), -1);
    CHECK_EQUAL(errno, EAGAIN);
    CHECK(guest_now(CLOCK_MONOTONIC) >= deadline);
    return (void *)11;
}

int main(void)
{
    CHECK_EQUAL(sem_init(&taken, 0, 0), 0);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    sigaddset(&set, SIGRTMIN);
    CHECK_EQUAL(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
    pthread_t thread = guest_start(take, NULL);
    CHECK_EQUAL(kill(getpid(), SIGUSR1), 0);
    CHECK_EQUAL(sem_wait(&taken), 0);
    for (int i = 0; i < 10; i++)
        CHECK_EQUAL(pthread_sigqueue(thread, SIGRTMIN, (union sigval){.sival_int = i}), 0);
    CHECK_EQUAL(sem_wait(&taken), 0);
    CHECK_EQUAL(pthread_kill(thread, SIGUSR2), 0);
    printf("taken: %ld\n", (long)(intptr_t)guest_join(thread));
    return guest_success();
}
