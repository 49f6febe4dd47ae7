// SPDX-License-Identifier: MIT
// Claims: sigsuspend lets in what it unblocks and nothing else, returns behind the handler with the old mask
// back, and misses no signal that came before it; while the handler runs the mask is that of the wait and the
// action's.
#include <signal.h>
#include "guest.h"

#define ROUNDS 200

static int turn;
static __thread volatile int handled;

static void handle(int number)
{
    sigset_t now;
    handled++;
    CHECK_EQUAL(number, SIGUSR1);
    CHECK_EQUAL(pthread_sigmask(SIG_SETMASK, NULL, &now), 0);
    CHECK_EQUAL(sigismember(&now, SIGUSR1), 1);  // being handled
    CHECK_EQUAL(sigismember(&now, SIGTERM), 1);  // blocked by sigsuspend
    CHECK_EQUAL(sigismember(&now, SIGWINCH), 1); // blocked by the action
    CHECK_EQUAL(sigismember(&now, SIGUSR2), 0);  // let in by sigsuspend
}

static pthread_t threads[2];
static pthread_barrier_t known; // both threads are

static void *body(void *index)
{
    int me = (int)(intptr_t)index;
    sigset_t wait, now;

    sigemptyset(&wait);
    sigaddset(&wait, SIGTERM);
    pthread_barrier_wait(&known);
    for (int i = 0; i < ROUNDS; i++) {
        while (handled == i) {
            if (me == 0 && i == __atomic_load_n(&turn, __ATOMIC_SEQ_CST)) {
                __atomic_store_n(&turn, i + 1, __ATOMIC_SEQ_CST);
                CHECK_EQUAL(pthread_kill(threads[1], SIGUSR1), 0);
            }
            CHECK_EQUAL(sigsuspend(&wait), -1);
            CHECK_EQUAL(errno, EINTR);
        }
        CHECK_EQUAL(handled, i + 1);
        CHECK_EQUAL(pthread_sigmask(SIG_SETMASK, NULL, &now), 0);
        CHECK(sigismember(&now, SIGUSR1) && sigismember(&now, SIGUSR2) && !sigismember(&now, SIGTERM));
        if (me == 1)
            CHECK_EQUAL(pthread_kill(threads[0], SIGUSR1), 0);
    }
    return (void *)(intptr_t)handled;
}

int main(void)
{
    struct sigaction action = {.sa_handler = handle};
    sigset_t set;

    sigaddset(&action.sa_mask, SIGWINCH);
    CHECK_EQUAL(sigaction(SIGUSR1, &action, NULL), 0);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    CHECK_EQUAL(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
    CHECK_EQUAL(pthread_barrier_init(&known, NULL, 3), 0);
    threads[1] = guest_start(body, (void *)1);
    threads[0] = guest_start(body, (void *)0);
    pthread_barrier_wait(&known);
    intptr_t sum = (intptr_t)guest_join(threads[0]);
    printf("handled: %ld\n", (long)(sum + (intptr_t)guest_join(threads[1])));
    return guest_success();
}
