// SPDX-License-Identifier: MIT
// Claims: timers reach threads: SIGEV_THREAD calls its function in a thread, SIGEV_THREAD_ID signals the
// thread that it names, alarm signals the process.
#include <semaphore.h>
#include <signal.h>
#include "guest.h"

#define TICKS 5

static sem_t ticks;
static int alarms;
static __thread volatile int own;

static void notify(union sigval value)
{
    CHECK(value.sival_ptr == &ticks);
    CHECK_EQUAL(sem_post(&ticks), 0);
}

static void handle(int number)
{
    if (number == SIGALRM)
        __atomic_fetch_add(&alarms, 1, __ATOMIC_SEQ_CST);
    else
        own++;
}

static void start(timer_t *timer, struct sigevent *event)
{
    struct itimerspec every = {{0, 1000000}, {0, 1000000}};
    CHECK_EQUAL(timer_create(CLOCK_MONOTONIC, event, timer), 0);
    CHECK_EQUAL(timer_settime(*timer, 0, &every, NULL), 0);
}

static void *body(void *argument)
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1};
    timer_t timer;
    event._sigev_un._tid = gettid();
    start(&timer, &event);
    while (own < TICKS)
        pause(); // there is always a next tick
    CHECK_EQUAL(timer_delete(timer), 0);
    return argument;
}

int main(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_value.sival_ptr = &ticks};
    struct sigaction action = {.sa_handler = handle};
    timer_t timer;

    event.sigev_notify_function = notify;
    CHECK_EQUAL(sem_init(&ticks, 0, 0), 0);
    CHECK_EQUAL(sigaction(SIGUSR1, &action, NULL), 0);
    CHECK_EQUAL(sigaction(SIGALRM, &action, NULL), 0);
    guest_threads(4, body);
    CHECK_EQUAL(own, 0);
    start(&timer, &event);
    for (int i = 0; i < TICKS; i++)
        CHECK_EQUAL(sem_wait(&ticks), 0);
    CHECK_EQUAL(timer_delete(timer), 0);
    CHECK_EQUAL(ualarm(1000, 0), 0);
    while (__atomic_load_n(&alarms, __ATOMIC_SEQ_CST) == 0)
        usleep(500);
    CHECK_EQUAL(alarms, 1);
    return guest_success();
}
