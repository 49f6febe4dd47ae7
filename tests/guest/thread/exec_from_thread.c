// SPDX-License-Identifier: MIT
// Claims: exec in a thread replaces the whole process, whatever its other threads are blocked in, and the new
// program has the process id of the old one and can create threads.
#include <semaphore.h>
#include "guest.h"

static sem_t ready, never;
static char *program;

static void *block(void *argument)
{
    CHECK_EQUAL(sem_post(&ready), 0);
    sem_wait(&never);
    CHECK(!"a blocked thread ran");
    return argument;
}

static void *replace(void *argument)
{
    char id[32];
    (void)argument;
    CHECK_EQUAL(sem_wait(&ready), 0);
    snprintf(id, sizeof(id), "%d", getpid());
    execl(program, program, id, (char *)NULL);
    CHECK(!"exec returned");
    return NULL;
}

static void *echo(void *argument)
{
    return argument;
}

int main(int count, char **arguments)
{
    if (count == 2) {
        CHECK_EQUAL(atoi(arguments[1]), getpid());
        CHECK_EQUAL(gettid(), getpid());
        CHECK_EQUAL(guest_threads(5, echo), 10);
        puts("the new program");
        return guest_success();
    }
    program = arguments[0];
    CHECK_EQUAL(sem_init(&ready, 0, 0), 0);
    CHECK_EQUAL(sem_init(&never, 0, 0), 0);
    guest_start(block, NULL);
    guest_join(guest_start(replace, NULL));
    return 1;
}
