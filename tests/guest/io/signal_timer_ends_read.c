// SPDX-License-Identifier: MIT
// An interval timer's SIGALRM, which all threads but one block, ends that one's read with EINTR, again and
// again.
#include "handler.h"

static int fds[2];

static void *reader(void *unused)
{
    sigset_t set;
    char byte;
    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    CHECK(pthread_sigmask(SIG_UNBLOCK, &set, NULL) == 0);
    for (int i = 0; i < 5; i++)
        CHECK_FAILS(read(fds[0], &byte, 1), EINTR);
    CHECK(handled >= 5);
    return unused;
}

int main(void)
{
    struct itimerval period = {{0, 5000}, {0, 5000}};
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    CHECK(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
    handler_install(SIGALRM, 0);
    CHECK(pipe(fds) == 0);
    pthread_t thread = guest_start(reader, NULL);
    CHECK(setitimer(ITIMER_REAL, &period, NULL) == 0);
    guest_join(thread);
    puts("five times");
    return guest_success();
}
