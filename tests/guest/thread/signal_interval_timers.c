// SPDX-License-Identifier: MIT
// Claims: setitimer's three clocks and alarm signal the process again and again while threads sleep and
// compute; a timer of timer_create whose thread blocks its signal counts overruns, and a deleted one is
// silent.
#include <signal.h>
#include <sys/time.h>
#include "guest.h"

static volatile int real, virtual, profile;
static int stop;

static void handle(int number)
{
    switch (number) {
    case SIGALRM:
        real++;
        break;
    case SIGVTALRM:
        virtual ++;
        break;
    case SIGPROF:
        profile++;
        break;
    }
}

static void *compute(void *argument)
{
    while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE))
        __asm__ volatile("");
    return argument;
}

static void *sleep_in_turns(void *argument)
{
    while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE))
        usleep(300);
    return argument;
}

static void *overrun(void *argument)
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN};
    struct itimerspec every = {{0, 1000000}, {0, 1000000}};
    siginfo_t info;
    timer_t timer;
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    CHECK_EQUAL(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
    event._sigev_un._tid = gettid();
    CHECK_EQUAL(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
    CHECK_EQUAL(timer_settime(timer, 0, &every, NULL), 0);
    int64_t start = guest_now(CLOCK_MONOTONIC);
    while (guest_now(CLOCK_MONOTONIC) < start + 12 * GUEST_MILLISECOND)
        usleep(1000);
    CHECK_EQUAL(sigwaitinfo(&set, &info), SIGRTMIN);
    CHECK_EQUAL(info.si_code, SI_TIMER);
    CHECK(info.si_overrun >= 9);
    CHECK(timer_getoverrun(timer) >= info.si_overrun);
    CHECK_EQUAL(timer_delete(timer), 0);
    CHECK_EQUAL(timer_getoverrun(timer), -1);
    while (sigtimedwait(&set, NULL, &(struct timespec){0, 0}) > 0)
        ;
    CHECK_EQUAL(sigtimedwait(&set, NULL, &(struct timespec){0, 5000000}), -1);
    return argument;
}

static void run(int which, int number, volatile int *count)
{
    struct itimerval every = {{0, 2000}, {0, 2000}}, none = {{0, 0}, {0, 0}}, old;
    struct sigaction action = {.sa_handler = handle};
    CHECK_EQUAL(sigaction(number, &action, NULL), 0);
    *count = 0;
    CHECK_EQUAL(setitimer(which, &every, NULL), 0);
    while (*count < 10)
        usleep(500);
    CHECK_EQUAL(setitimer(which, &none, &old), 0);
    CHECK_EQUAL(old.it_interval.tv_usec, 2000);
}

int main(void)
{
    guest_join(guest_start(overrun, NULL));
    pthread_t computing = guest_start(compute, NULL), sleeping = guest_start(sleep_in_turns, NULL);
    run(ITIMER_REAL, SIGALRM, &real);
    run(ITIMER_VIRTUAL, SIGVTALRM, &virtual);
    run(ITIMER_PROF, SIGPROF, &profile);
    CHECK_EQUAL(alarm(1000), 0);
    CHECK(alarm(0) >= 999);
    __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
    guest_join(computing);
    guest_join(sleeping);
    return guest_success();
}
