// SPDX-License-Identifier: MIT
// Claims: a timer on a thread's CPU clock expires by the time that this thread computes: three times for one
// that computes for three intervals, never for one that sleeps while others compute, whoever has made it.
#include <semaphore.h>
#include <signal.h>
#include "clock.h"

enum { INTERVAL = 20 * GUEST_MILLISECOND, THREADS = 3 };

static sem_t asleep, slept;
static __thread volatile int expired;
static __thread int64_t began;
static __thread clockid_t mine;

static void handle(int number, siginfo_t *info, void *context)
{
    (void)number, (void)context;
    CHECK_EQUAL(info->si_code, SI_TIMER);
    expired += 1 + info->si_overrun;
    // Read by another way than the one that is called while it is interrupted.
    CHECK(guest_now(mine) >= began + expired * INTERVAL);
}

static timer_t start(clockid_t clock, pid_t tid)
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN};
    struct itimerspec every = {guest_timespec(INTERVAL), guest_timespec(INTERVAL)};
    timer_t timer;
    event._sigev_un._tid = tid;
    CHECK_EQUAL(timer_create(clock, &event, &timer), 0);
    CHECK_EQUAL(timer_settime(timer, 0, &every, NULL), 0);
    return timer;
}

static void begin(void)
{
    mine = clock_of(pthread_self());
    began = guest_now(mine);
}

static void *computes(void *own)
{
    begin();
    timer_t timer = start(own ? CLOCK_THREAD_CPUTIME_ID : mine, gettid());
    while (expired < 3) {
        compute(100000);
        if (!own)
            usleep(100); // it is another carrier's turn
    }
    CHECK_EQUAL(timer_delete(timer), 0);
    return NULL;
}

static void *sleeps(void *argument)
{
    begin();
    timer_t timer = start(CLOCK_THREAD_CPUTIME_ID, gettid());
    CHECK_EQUAL(sem_post(&asleep), 0);
    CHECK_EQUAL(sem_wait(&slept), 0); // no signal has ended it
    CHECK_EQUAL(expired, 0);
    while (expired < 1)
        compute(100000);
    CHECK_EQUAL(timer_delete(timer), 0);
    return argument;
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO};
    CHECK_EQUAL(sigaction(SIGRTMIN, &action, NULL), 0);
    CHECK(sem_init(&asleep, 0, 0) == 0 && sem_init(&slept, 0, 0) == 0);
    pthread_t sleeper = guest_start(sleeps, NULL), threads[2 * THREADS];
    CHECK_EQUAL(sem_wait(&asleep), 0);
    for (intptr_t i = 0; i < 2 * THREADS; i++)
        threads[i] = guest_start(computes, (void *)(i % 2));
    computes(&sleeper);
    for (int i = 0; i < 2 * THREADS; i++)
        guest_join(threads[i]);
    CHECK_EQUAL(sem_post(&slept), 0);
    guest_join(sleeper);
    return guest_success();
}
