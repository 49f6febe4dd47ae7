// SPDX-License-Identifier: MIT
// Claims: a thread blocked in sem_wait, read, nanosleep, pause, poll, accept, waitpid or join is cancelled
// there: cleanup handlers and key destructors run, join gives PTHREAD_CANCELED, and nothing was consumed.
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include "guest.h"

#define WAYS 8

static sem_t ready, never;
static int empty_pipe[2], listener;
static pid_t child;
static pthread_t joined;
static pthread_key_t key;
static int cleaned, destroyed;

static void count(void *counter)
{
    __atomic_fetch_add((int *)counter, 1, __ATOMIC_RELAXED);
}

static void *sleep_on(void *argument)
{
    CHECK_EQUAL(sem_wait(&never), 0);
    return argument;
}

static void block(intptr_t way)
{
    char byte;
    switch (way) {
    case 0:
        sem_wait(&never);
        break;
    case 1:
        CHECK_EQUAL(read(empty_pipe[0], &byte, 1), 1);
        break;
    case 2:
        nanosleep(&(struct timespec){1000, 0}, NULL);
        break;
    case 3:
        pause();
        break;
    case 4:
        poll(&(struct pollfd){.fd = empty_pipe[0], .events = POLLIN}, 1, -1);
        break;
    case 5:
        accept(listener, NULL, NULL);
        break;
    case 6:
        waitpid(child, NULL, 0);
        break;
    case 7:
        pthread_join(joined, NULL);
        break;
    }
}

static void *body(void *way)
{
    CHECK_EQUAL(pthread_setspecific(key, &destroyed), 0);
    pthread_cleanup_push(count, &cleaned);
    CHECK_EQUAL(sem_post(&ready), 0);
    block((intptr_t)way);
    CHECK(!"it was not cancelled");
    pthread_cleanup_pop(0);
    return NULL;
}

int main(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "socket"};
    pthread_t threads[WAYS];

    CHECK_EQUAL(sem_init(&ready, 0, 0), 0);
    CHECK_EQUAL(sem_init(&never, 0, 0), 0);
    CHECK_EQUAL(pipe(empty_pipe), 0);
    listener = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_EQUAL(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
    CHECK_EQUAL(listen(listener, 1), 0);
    CHECK_EQUAL(pthread_key_create(&key, count), 0);
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        pause();
        _exit(1);
    }
    joined = guest_start(sleep_on, NULL);
    for (intptr_t i = 0; i < WAYS; i++)
        threads[i] = guest_start(body, (void *)i);
    for (int i = 0; i < WAYS; i++)
        CHECK_EQUAL(sem_wait(&ready), 0);
    usleep(2000); // most are blocked by now; those that are not are cancelled as they enter
    for (int i = 0; i < WAYS; i++)
        CHECK_EQUAL(pthread_cancel(threads[i]), 0);
    for (int i = 0; i < WAYS; i++)
        CHECK(guest_join(threads[i]) == PTHREAD_CANCELED);
    printf("cleaned %d, destroyed %d\n", cleaned, destroyed);
    CHECK(cleaned == WAYS && destroyed == WAYS);

    CHECK_EQUAL(sem_post(&never), 0); // goes to the thread that was not cancelled
    guest_join(joined);
    CHECK_EQUAL(kill(child, SIGKILL), 0);
    CHECK_EQUAL(waitpid(child, NULL, 0), child);
    return guest_success();
}
