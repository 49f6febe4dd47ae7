// SPDX-License-Identifier: MIT
// ppoll, pselect and epoll_pwait put their mask in place for the wait alone: a signal that is blocked and
// pending ends each at once with EINTR and its handler run; one that comes later wakes the blocked wait;
// afterwards it is blocked.
#include "handler.h"
#include <sys/epoll.h>
#include <sys/select.h>

static int epoll;

static int wait_with(int which, const sigset_t *mask)
{
    if (which == 0)
        return ppoll(NULL, 0, NULL, mask);
    if (which == 1)
        return pselect(0, NULL, NULL, NULL, NULL, mask);
    return epoll_pwait(epoll, &(struct epoll_event){0}, 1, -1, mask);
}

static void *waiter(void *unused)
{
    sigset_t open_mask;
    CHECK(pthread_sigmask(SIG_BLOCK, NULL, &open_mask) == 0 && sigismember(&open_mask, SIGUSR1));
    sigdelset(&open_mask, SIGUSR1);
    for (int i = 0; i < 3; i++) {
        sigset_t after;
        CHECK(pthread_kill(pthread_self(), SIGUSR1) == 0 && handled == 2 * i);
        CHECK_FAILS(wait_with(i, &open_mask), EINTR);
        CHECK(handled == 2 * i + 1);
        blocks_next();
        CHECK_FAILS(wait_with(i, &open_mask), EINTR);
        CHECK(handled == 2 * i + 2);
        CHECK(pthread_sigmask(SIG_BLOCK, NULL, &after) == 0 && sigismember(&after, SIGUSR1));
    }
    return unused;
}

int main(void)
{
    sigset_t set;
    handler_install(SIGUSR1, SA_RESTART);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
    epoll = epoll_create1(0);
    pthread_t thread = guest_start(waiter, NULL);
    for (int i = 1; i <= 3; i++) {
        wait_blocked(i);
        CHECK(pthread_kill(thread, SIGUSR1) == 0);
    }
    guest_join(thread);
    printf("handled %d\n", handled);
    return guest_success();
}
