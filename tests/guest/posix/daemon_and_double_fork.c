// SPDX-License-Identifier: MIT
// Claims: a thread makes a grandchild by two forks with setsid between, as daemons do, and another by
// daemon(); each has threads of its own and outlives its parent, while a thousand threads of the first
// process are blocked.
#include <semaphore.h>
#include <sys/wait.h>
#include "guest.h"

#define PARKED 1000
#define OWN    20

static sem_t gate, running;
static int report[2];

static void *parked(void *argument)
{
    (void)argument;
    CHECK_EQUAL(sem_post(&running), 0);
    CHECK_EQUAL(sem_wait(&gate), 0);
    return NULL;
}

static void *one(void *index)
{
    return (void *)((intptr_t)index + 1);
}

static void tell(const char *who)
{
    char line[64];
    int length = snprintf(line, sizeof line, "%s: %d\n", who, (int)guest_threads(OWN, one));
    CHECK_EQUAL(write(report[1], line, (size_t)length), length);
    _exit(0);
}

static void await_child(pid_t child)
{
    int status;
    CHECK_EQUAL(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void *makes_daemons(void *argument)
{
    (void)argument;
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        CHECK_EQUAL(setsid(), getpid());
        pid_t grandchild = fork();
        CHECK(grandchild >= 0);
        if (grandchild == 0)
            tell("grandchild by two forks");
        _exit(0);
    }
    await_child(child);
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        CHECK_EQUAL(daemon(1, 1), 0);
        tell("grandchild by daemon");
    }
    await_child(child);
    return NULL;
}

int main(void)
{
    pthread_t threads[PARKED];
    char text[256];
    size_t length = 0;
    ssize_t got;
    CHECK(sem_init(&gate, 0, 0) == 0 && sem_init(&running, 0, 0) == 0);
    for (int i = 0; i < PARKED; i++)
        threads[i] = guest_start(parked, NULL);
    for (int i = 0; i < PARKED; i++)
        CHECK_EQUAL(sem_wait(&running), 0);

    CHECK_EQUAL(pipe(report), 0);
    guest_join(guest_start(makes_daemons, NULL));
    CHECK_EQUAL(close(report[1]), 0); // the read ends when the last of the daemons has ended
    while ((got = read(report[0], text + length, sizeof text - 1 - length)) > 0)
        length += (size_t)got;
    CHECK_EQUAL(got, 0);
    text[length] = 0;
    CHECK(strstr(text, "grandchild by two forks: 210\n") && strstr(text, "grandchild by daemon: 210\n"));

    for (int i = 0; i < PARKED; i++)
        CHECK_EQUAL(sem_post(&gate), 0);
    for (int i = 0; i < PARKED; i++)
        guest_join(threads[i]);
    return guest_success();
}
