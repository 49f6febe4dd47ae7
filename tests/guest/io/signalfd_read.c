// SPDX-License-Identifier: MIT
// Signals blocked in all threads are read from a signalfd: a blocked read gets one sent to the process,
// poll sees the next, O_NONBLOCK gives EAGAIN when none is pending.
#include "io.h"
#include <sys/signalfd.h>

static int signals;

static void *reader(void *unused)
{
    struct signalfd_siginfo info;
    for (int i = 0; i < 2; i++) {
        blocks_next();
        CHECK(read(signals, &info, sizeof info) == sizeof info);
        CHECK(info.ssi_pid == (uint32_t)getpid());
        printf("signal %u, value %d\n", info.ssi_signo, info.ssi_int);
    }
    return unused;
}

int main(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    CHECK(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
    signals = signalfd(-1, &set, 0);
    CHECK(signals >= 0);
    pthread_t thread = guest_start(reader, NULL);
    wait_blocked(1);
    CHECK(kill(getpid(), SIGUSR1) == 0);
    wait_blocked(2);
    CHECK(sigqueue(getpid(), SIGUSR2, (union sigval){.sival_int = 42}) == 0);
    guest_join(thread);
    struct pollfd waiting = {.fd = signals, .events = POLLIN};
    CHECK(poll(&waiting, 1, 0) == 0);
    CHECK(kill(getpid(), SIGUSR1) == 0);
    CHECK(poll(&waiting, 1, -1) == 1);
    struct signalfd_siginfo info;
    CHECK(fcntl(signals, F_SETFL, O_NONBLOCK) == 0);
    CHECK(read(signals, &info, sizeof info) == sizeof info && info.ssi_signo == SIGUSR1);
    CHECK_FAILS(read(signals, &info, sizeof info), EAGAIN);
    return guest_success();
}
