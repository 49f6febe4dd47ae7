// SPDX-License-Identifier: MIT
// A pending signal that the mask of ppoll or pselect lets in ends even a call with a time-out of 0: EINTR,
// with the handler run; not when something is ready. epoll_pwait does not look: its signal stays pending.
#include "handler.h"
#include <sys/epoll.h>
#include <sys/select.h>

static const char *const name[] = {"ppoll", "pselect", "epoll_pwait"};
static int fds[2], epoll;

static int look(int which, const sigset_t *mask)
{
    struct timespec none = {0, 0};
    struct pollfd one = {.fd = fds[0], .events = POLLIN};
    fd_set set;
    if (which == 0)
        return ppoll(&one, 1, &none, mask);
    if (which == 2)
        return epoll_pwait(epoll, &(struct epoll_event){0}, 1, 0, mask);
    FD_ZERO(&set);
    FD_SET(fds[0], &set);
    int result = pselect(fds[0] + 1, &set, NULL, NULL, &none, mask), error = errno;
    printf("in the set: %d\n", FD_ISSET(fds[0], &set) != 0);
    errno = error;
    return result;
}

static void *looks(void *to_process)
{
    sigset_t open_mask, blocked;
    struct timespec none = {0, 0};
    CHECK(pthread_sigmask(SIG_BLOCK, NULL, &open_mask) == 0 && sigismember(&open_mask, SIGUSR1));
    sigdelset(&open_mask, SIGUSR1);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    for (int which = 0; which < 3; which++) {
        int before = handled;
        CHECK((to_process ? kill(getpid(), SIGUSR1) : pthread_kill(pthread_self(), SIGUSR1)) == 0);
        errno = 0;
        int result = look(which, &open_mask), error = errno;
        printf("%s: %d %s, handled %d\n", name[which], result, strerror(error), handled - before);
        printf("pending: %d\n", sigtimedwait(&blocked, NULL, &none));
    }
    return NULL;
}

int main(void)
{
    sigset_t set;
    handler_install(SIGUSR1, SA_RESTART);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0 && pipe(fds) == 0);
    epoll = epoll_create1(0);
    CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, fds[0], &(struct epoll_event){.events = EPOLLIN}) == 0);
    become_threaded();
    for (int ready = 0; ready < 2; ready++) {
        guest_join(guest_start(looks, NULL));
        looks((void *)1);
        CHECK(write(fds[1], "x", 1) == 1);
    }
    return guest_success();
}
