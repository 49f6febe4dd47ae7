// SPDX-License-Identifier: MIT
// Claims: a thread inherits its creator's name; a name that is set, by the thread or by another, is that
// thread's alone and survives blocking; 16 bytes are too long.
#include <sys/prctl.h>
#include "guest.h"

#define THREADS 8

static pthread_barrier_t meeting;

static void check_name(pthread_t thread, const char *expected)
{
    char name[16];
    CHECK_EQUAL(pthread_getname_np(thread, name, sizeof(name)), 0);
    if (strcmp(name, expected) != 0)
        printf("name %s, not %s\n", name, expected);
    CHECK(strcmp(name, expected) == 0);
}

static void *body(void *index)
{
    char mine[16], name[16];

    check_name(pthread_self(), "guest-main");
    snprintf(mine, sizeof(mine), "own-%ld", (long)(intptr_t)index);
    CHECK_EQUAL(pthread_setname_np(pthread_self(), mine), 0);
    pthread_barrier_wait(&meeting);
    CHECK_EQUAL(prctl(PR_GET_NAME, name), 0);
    CHECK(strcmp(name, mine) == 0);
    pthread_barrier_wait(&meeting); // main renames us
    pthread_barrier_wait(&meeting);
    snprintf(mine, sizeof(mine), "given-%ld", (long)(intptr_t)index);
    check_name(pthread_self(), mine);
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    char name[16];

    CHECK_EQUAL(pthread_barrier_init(&meeting, NULL, THREADS + 1), 0);
    CHECK_EQUAL(pthread_setname_np(pthread_self(), "guest-main"), 0);
    for (intptr_t i = 0; i < THREADS; i++)
        threads[i] = guest_start(body, (void *)i);
    pthread_barrier_wait(&meeting);
    pthread_barrier_wait(&meeting);
    for (int i = 0; i < THREADS; i++) {
        snprintf(name, sizeof(name), "own-%d", i);
        check_name(threads[i], name);
        snprintf(name, sizeof(name), "given-%d", i);
        CHECK_EQUAL(pthread_setname_np(threads[i], name), 0);
        check_name(threads[i], name);
    }
    check_name(pthread_self(), "guest-main");
    CHECK_EQUAL(pthread_setname_np(threads[0], "sixteen-bytes-xx"), ERANGE);
    pthread_barrier_wait(&meeting);
    for (int i = 0; i < THREADS; i++)
        guest_join(threads[i]);
    return guest_success();
}
