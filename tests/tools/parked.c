// SPDX-License-Identifier: MIT
//
// Threads that stand still in every way, for see-command to look at. Each first prints its name, its thread
// id and what it waits for. A byte from stdin makes main abort, its end makes main exit.
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define NOT_INLINE __attribute__((noinline))

static int pipes[2][2];
static sem_t never;
static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
static pthread_t joined;
static atomic_bool for_ever = true;

static void say(const char *name, long what)
{
    pthread_setname_np(pthread_self(), name);
    dprintf(STDOUT_FILENO, "%s %d %ld\n", name, (int)gettid(), what);
}

NOT_INLINE static void wait_for_byte(void)
{
    volatile int answer = 4711;
    char byte;
    say("reader", pipes[0][0]);
    if (read(pipes[0][0], &byte, 1) != answer)
        _exit(1);
}

NOT_INLINE static void wait_for_time(void)
{
    say("sleeper", 0);
    sleep(1000);
}

NOT_INLINE static void wait_for_post(void)
{
    say("poster", (long)&never);
    sem_wait(&never);
}

NOT_INLINE static void wait_for_lock(void)
{
    say("locker", (long)&held);
    pthread_mutex_lock(&held);
}

NOT_INLINE static void wait_for_thread(void)
{
    say("joiner", 0);
    pthread_join(joined, NULL);
}

NOT_INLINE static void wait_for_many(void)
{
    struct pollfd set[] = {{.fd = pipes[0][0], .events = POLLIN}, {.fd = pipes[1][0], .events = POLLIN}};
    say("poller", pipes[1][0]);
    poll(set, 2, 1000000);
}

NOT_INLINE static void compute(void)
{
    say("computer", 0);
    while (atomic_load(&for_ever))
        ;
}

static void *run(void *function)
{
    void (*body)(void) = (void (*)(void))function;
    body();
    return NULL;
}

NOT_INLINE static void wait_for_end(void)
{
    char byte;
    say("main", STDIN_FILENO);
    if (read(STDIN_FILENO, &byte, 1) == 1)
        abort();
}

int main(void)
{
    static void (*const bodies[])(void) = {wait_for_time, wait_for_byte, wait_for_post,  wait_for_lock,
                                           wait_for_many, compute,       wait_for_thread};
    if (pipe(pipes[0]) != 0 || pipe(pipes[1]) != 0)
        return 1;
    sem_init(&never, 0, 0);
    pthread_mutex_lock(&held);
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, run, (void *)bodies[i]) != 0)
            return 1;
        if (i == 0)
            joined = thread;
    }
    wait_for_end();
    puts("EXIT-SUCCESS");
    return 0;
}
