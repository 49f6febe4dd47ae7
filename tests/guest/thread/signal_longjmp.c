// SPDX-License-Identifier: MIT
// Claims: siglongjmp leaves a handler for good, out of a computation, a blocked read, a sleep, a semaphore
// and raise, again and again; the mask is as it was at sigsetjmp, and the thread goes on as before.
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include "guest.h"

#define ROUNDS 40

static __thread sigjmp_buf place;
static __thread volatile int ready;
static sem_t never, round_done;
static int empty_pipe[2];
static volatile int *volatile target_ready;

static void handle(int number)
{
    (void)number;
    if (!ready)
        return;
    ready = 0;
    siglongjmp(place, 1);
}

static void block(int way)
{
    char byte;
    switch (way) {
    case 0:
        for (;;)
            __asm__ volatile("");
    case 1:
        CHECK_EQUAL(read(empty_pipe[0], &byte, 1), 1);
        break;
    case 2:
        sleep(1000);
        break;
    case 3:
        sem_wait(&never);
        break;
    case 4:
        pause();
        break;
    }
}

static void *body(void *argument)
{
    sigset_t mask;
    target_ready = &ready;
    CHECK_EQUAL(sem_post(&round_done), 0);
    for (volatile int i = 0; i < ROUNDS; i++) {
        if (sigsetjmp(place, 1) == 0) {
            ready = 1;
            block(i % 5);
            CHECK(!"nothing interrupted it");
        }
        CHECK_EQUAL(pthread_sigmask(SIG_SETMASK, NULL, &mask), 0);
        CHECK_EQUAL(sigismember(&mask, SIGUSR1), 0);
        CHECK_EQUAL(sigismember(&mask, SIGUSR2), 1);
        CHECK_EQUAL(sem_post(&round_done), 0);
    }
    return argument;
}

int main(void)
{
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
    sigset_t blocked;

    CHECK_EQUAL(sem_init(&never, 0, 0), 0);
    CHECK_EQUAL(sem_init(&round_done, 0, 0), 0);
    CHECK_EQUAL(pipe(empty_pipe), 0);
    sigfillset(&action.sa_mask);
    CHECK_EQUAL(sigaction(SIGUSR1, &action, NULL), 0);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR2);
    CHECK_EQUAL(pthread_sigmask(SIG_BLOCK, &blocked, NULL), 0);
    pthread_t thread = guest_start(body, NULL);
    CHECK_EQUAL(sem_wait(&round_done), 0);
    for (int i = 0; i < ROUNDS; i++) {
        do {
            if (*target_ready)
                CHECK_EQUAL(pthread_kill(thread, SIGUSR1), 0);
            usleep(100);
        } while (sem_trywait(&round_done) != 0);
    }
    guest_join(thread);
    return guest_success();
}
