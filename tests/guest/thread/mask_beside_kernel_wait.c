// SPDX-License-Identifier: MIT
// Claims: a thread that waits in a call which no SA_RESTART continues (msgrcv) does not see it fail because
// another thread changes its signal mask.
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include "guest.h"

enum { CHANGES = 2000 };

static int queue;
static atomic_int waits;

static void *changes_mask(void *unused)
{
    struct {
        long type;
        char text[1];
    } message = {1, "x"};
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, SIGUSR1);
    while (!waits)
        sched_yield();
    for (int i = 0; i < CHANGES; i++) {
        CHECK_EQUAL(pthread_sigmask(i % 2 ? SIG_UNBLOCK : SIG_BLOCK, &one, NULL), 0);
        sched_yield();
    }
    CHECK_EQUAL(msgsnd(queue, &message, 1, 0), 0);
    return unused;
}

int main(void)
{
    struct {
        long type;
        char text[1];
    } message;
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, SIGUSR1);
    CHECK_EQUAL(pthread_sigmask(SIG_BLOCK, &one, NULL), 0);
    queue = msgget(IPC_PRIVATE, 0600);
    CHECK(queue >= 0);
    pthread_t thread = guest_start(changes_mask, NULL);
    waits = 1;
    ssize_t got = msgrcv(queue, &message, 1, 0, 0);
    int error = errno;
    CHECK_EQUAL(msgctl(queue, IPC_RMID, NULL), 0);
    errno = error;
    CHECK_EQUAL(got, 1);
    guest_join(thread);
    return guest_success();
}
