// SPDX-License-Identifier: MIT
// kill and sigqueue with the id of a thread name its process: a thread that does not block the signal gets
// it.
#include "guest.h"
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>

static pid_t blocking;
static sem_t ready, signalled;
static atomic_int handled;
static pthread_t receiver;

static void on_signal(int number, siginfo_t *info, void *context)
{
    (void)context;
    CHECK(pthread_equal(pthread_self(), receiver));
    CHECK_EQUAL(info->si_pid, getpid());
    handled += number == SIGUSR1 ? 1 : info->si_value.sival_int;
    CHECK_EQUAL(sem_post(&signalled), 0);
}

static void *block_and_wait(void *unused)
{
    blocking = gettid();
    CHECK_EQUAL(sem_post(&ready), 0);
    pause();
    return unused;
}

static void *receive(void *unused)
{
    sigset_t none;
    sigemptyset(&none);
    CHECK_EQUAL(pthread_sigmask(SIG_SETMASK, &none, NULL), 0);
    while (handled < 111)
        CHECK(sem_wait(&signalled) == 0 || errno == EINTR);
    return unused;
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
    sigset_t set;
    CHECK(sem_init(&ready, 0, 0) == 0 && sem_init(&signalled, 0, 0) == 0);
    CHECK_EQUAL(sigaction(SIGUSR1, &action, NULL), 0);
    CHECK_EQUAL(sigaction(SIGRTMIN, &action, NULL), 0);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGRTMIN);
    CHECK_EQUAL(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
    pthread_t other = guest_start(block_and_wait, NULL);
    receiver = guest_start(receive, NULL);
    CHECK_EQUAL(sem_wait(&ready), 0);
    CHECK_EQUAL(kill(blocking, 0), 0);
    CHECK_EQUAL(kill(blocking, SIGUSR1), 0);
    CHECK_EQUAL(sigqueue(blocking, SIGRTMIN, (union sigval){.sival_int = 10}), 0);
    CHECK_EQUAL(sigqueue(blocking, SIGRTMIN, (union sigval){.sival_int = 100}), 0);
    guest_join(receiver);
    CHECK_EQUAL(handled, 111);
    CHECK_EQUAL(pthread_cancel(other), 0);
    CHECK(guest_join(other) == PTHREAD_CANCELED);
    return guest_success();
}
