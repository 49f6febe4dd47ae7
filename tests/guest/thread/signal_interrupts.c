// SPDX-License-Identifier: MIT
// Claims: a handler without SA_RESTART ends blocking calls with EINTR, and nanosleep says how much is left;
// with SA_RESTART read goes on, and sleeps, polls and pause are interrupted all the same.
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include "guest.h"

#define WAYS 4

static sem_t ready;
static int pipes[WAYS][2], restart;

static void handle(int number)
{
    (void)number;
}

static void *body(void *way)
{
    struct timespec left = {0, 0};
    char byte = 0;

    CHECK_EQUAL(sem_post(&ready), 0);
    switch ((intptr_t)way) {
    case 0:
        if (restart) {
            CHECK_EQUAL(read(pipes[0][0], &byte, 1), 1);
            return (void *)1;
        }
        CHECK_EQUAL(read(pipes[0][0], &byte, 1), -1);
        break;
    case 1:
        CHECK_EQUAL(nanosleep(&(struct timespec){1000, 0}, &left), -1);
        CHECK(left.tv_sec > 900 && left.tv_sec <= 1000); // timer slack may be added
        break;
    case 2:
        CHECK_EQUAL(poll(&(struct pollfd){.fd = pipes[2][0], .events = POLLIN}, 1, -1), -1);
        break;
    case 3:
        CHECK_EQUAL(pause(), -1);
        break;
    }
    CHECK_EQUAL(errno, EINTR);
    return (void *)1;
}

int main(void)
{
    intptr_t ended = 0;

    CHECK_EQUAL(sem_init(&ready, 0, 0), 0);
    for (int i = 0; i < WAYS; i++)
        CHECK_EQUAL(pipe(pipes[i]), 0);
    for (restart = 0; restart < 2; restart++) {
        struct sigaction action = {.sa_handler = handle, .sa_flags = restart ? SA_RESTART : 0};
        CHECK_EQUAL(sigaction(SIGUSR1, &action, NULL), 0);
        for (intptr_t way = 0; way < WAYS; way++) {
            pthread_t thread = guest_start(body, (void *)way);
            void *result;
            CHECK_EQUAL(sem_wait(&ready), 0);
            if (restart && way == 0) {
                for (int i = 0; i < 5; i++) {
                    usleep(500);
                    CHECK_EQUAL(pthread_kill(thread, SIGUSR1), 0);
                }
                CHECK_EQUAL(write(pipes[0][1], "x", 1), 1);
                ended += (intptr_t)guest_join(thread);
                continue;
            }
            while (pthread_tryjoin_np(thread, &result) == EBUSY) { // it may not be blocked yet
                CHECK_EQUAL(pthread_kill(thread, SIGUSR1), 0);
                usleep(200);
            }
            ended += (intptr_t)result;
        }
    }
    printf("ended: %ld\n", (long)ended);
    return guest_success();
}
