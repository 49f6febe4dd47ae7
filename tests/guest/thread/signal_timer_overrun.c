// SPDX-License-Identifier: MIT
// A thread's periodic timer whose first expiry lies far in the past has more overruns than an int can count:
// si_overrun and timer_getoverrun say INT_MAX, however often it expires while its signal is pending.
#include "guest.h"
#include <limits.h>
#include <signal.h>
#include <sys/syscall.h>

static void *waits(void *unused)
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1};
    const struct itimerspec setting = {{0, 1000000}, {0, 1}};
    const struct timespec some = {0, 20000000};
    siginfo_t info;
    timer_t timer;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
    event._sigev_un._tid = (int)syscall(SYS_gettid);
    CHECK(timer_create(CLOCK_REALTIME, &event, &timer) == 0);
    CHECK(timer_settime(timer, TIMER_ABSTIME, &setting, NULL) == 0);
    CHECK(nanosleep(&some, NULL) == 0); // it expires some times more
    CHECK_EQUAL(sigwaitinfo(&set, &info), SIGUSR1);
    CHECK_EQUAL(info.si_overrun, INT_MAX);
    CHECK_EQUAL(timer_getoverrun(timer), INT_MAX);
    return unused;
}

int main(void)
{
    guest_join(guest_start(waits, NULL));
    return guest_success();
}
