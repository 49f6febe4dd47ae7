// SPDX-License-Identifier: MIT
// Claims: pthread_atfork's handlers run in the forking thread: prepare from last to first registered, parent
// and child from first to last; they may take a lock that other threads use.
#include <sys/wait.h>
#include "guest.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static char order[32];
static pthread_t forker;
static int stop;

static void note(const char *text)
{
    CHECK(pthread_equal(pthread_self(), forker));
    strcat(order, text);
}

static void prepare_first(void)
{
    note("a");
    CHECK_EQUAL(pthread_mutex_lock(&mutex), 0);
}

static void prepare_second(void)
{
    note("b");
}

static void parent_first(void)
{
    CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);
    note("p");
}

static void parent_second(void)
{
    note("q");
}

static void child_first(void)
{
    CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);
    note("c");
}

static void child_second(void)
{
    note("d");
}

static void *use_mutex(void *argument)
{
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        CHECK_EQUAL(pthread_mutex_lock(&mutex), 0);
        usleep(1);
        CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);
    }
    return argument;
}

static void *fork_once(void *argument)
{
    int status;

    forker = pthread_self();
    order[0] = '\0';
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0)
        _exit(strcmp(order, "bacd") != 0 || pthread_mutex_trylock(&mutex) != 0);
    CHECK_EQUAL(waitpid(pid, &status, 0), pid);
    CHECK_EQUAL(status, 0);
    CHECK(strcmp(order, "bapq") == 0);
    return argument;
}

int main(void)
{
    CHECK_EQUAL(pthread_atfork(prepare_first, parent_first, child_first), 0);
    CHECK_EQUAL(pthread_atfork(prepare_second, parent_second, child_second), 0);
    pthread_t user = guest_start(use_mutex, NULL);
    for (int i = 0; i < 5; i++) {
        fork_once(NULL);
        guest_join(guest_start(fork_once, NULL));
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    guest_join(user);
    puts(order);
    return guest_success();
}
