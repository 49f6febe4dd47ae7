// SPDX-License-Identifier: MIT
// Claims: a child forked by a thread goes on in that thread, on its stack, with its handle, thread-local and
// thread-specific data; it can create threads; and when it returns from its start routine the process ends by
// exit(0).
#include <sys/wait.h>
#include "guest.h"

static __thread int local = 1;
static pthread_key_t key;
static pid_t first_process;

static void *echo(void *argument)
{
    CHECK_EQUAL(local, 1);
    return argument;
}

static void at_exit(void)
{
    if (getpid() != first_process)
        _exit(33); // proves that the handlers ran
}

static void *body(void *index)
{
    pthread_t self = pthread_self();
    intptr_t me = (intptr_t)index;
    volatile int on_stack = (int)me + 5;
    int status;

    local = (int)me + 100;
    CHECK_EQUAL(pthread_setspecific(key, &local), 0);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        CHECK(pthread_equal(self, pthread_self()));
        CHECK_EQUAL(gettid(), getpid());
        CHECK_EQUAL(local, me + 100);
        CHECK_EQUAL(on_stack, me + 5);
        CHECK(pthread_getspecific(key) == &local);
        CHECK(guest_join(guest_start(echo, &local)) == &local);
        if (me % 2 == 0)
            _exit(44);
        return NULL; // the last thread of its process
    }
    CHECK(pthread_equal(self, pthread_self()));
    CHECK_EQUAL(waitpid(pid, &status, 0), pid);
    CHECK_EQUAL(status, (me % 2 ? 33 : 44) << 8);
    CHECK_EQUAL(local, me + 100);
    return (void *)1;
}

int main(void)
{
    first_process = getpid();
    CHECK_EQUAL(atexit(at_exit), 0);
    CHECK_EQUAL(pthread_key_create(&key, NULL), 0);
    printf("forks: %ld\n", (long)guest_threads(10, body));
    fflush(stdout);
    return guest_success();
}
