// SPDX-License-Identifier: MIT
// SIGPIPE with its default action ends a process whose thread writes to a pipe or socket that nobody
// reads; a handler runs in the thread that wrote.
#include "handler.h"

static int fds[2];
static pthread_t writing;

static void check_thread(int number)
{
    if (pthread_equal(pthread_self(), writing))
        handler_count(number);
}

static void *writer(void *unused)
{
    writing = pthread_self();
    CHECK_FAILS(write(fds[1], "x", 1), EPIPE);
    return unused;
}

int main(void)
{
    become_threaded();
    for (int i = 0; i < 2; i++) {
        int status;
        if (i == 0)
            CHECK(pipe(fds) == 0);
        else
            unix_pair(SOCK_STREAM, fds);
        CHECK(close(fds[0]) == 0);
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            guest_join(guest_start(writer, NULL));
            _exit(1);
        }
        CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
        printf("ended by signal %d\n", WTERMSIG(status));
    }
    struct sigaction action = {.sa_handler = check_thread};
    CHECK(sigaction(SIGPIPE, &action, NULL) == 0);
    guest_join(guest_start(writer, NULL));
    printf("handled %d\n", handled);
    return guest_success();
}
