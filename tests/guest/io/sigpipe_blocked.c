// SPDX-License-Identifier: MIT
// A thread that blocks SIGPIPE, its action being the default, gets EPIPE from every call and has the signal
// pending, which it can take away before it unblocks; another thread that writes unblocked ends the process.
#include "io.h"

#include <sys/sendfile.h>
#include <sys/wait.h>

static void check_pending(int wanted)
{
    sigset_t pending;
    CHECK(sigpending(&pending) == 0);
    CHECK(!!sigismember(&pending, SIGPIPE) == wanted);
}

// What libraries do that must not change the program's action.
static void take_pending(const sigset_t *pipe_signal)
{
    const struct timespec none = {0, 0};
    check_pending(1);
    CHECK(sigtimedwait(pipe_signal, NULL, &none) == SIGPIPE);
    check_pending(0);
}

static void *careful(void *unused)
{
    int sockets[2], pipes[2], file;
    sigset_t pipe_signal, before;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    CHECK(pthread_sigmask(SIG_BLOCK, &pipe_signal, &before) == 0);
    unix_pair(SOCK_STREAM, sockets);
    CHECK(pipe(pipes) == 0 && close(pipes[0]) == 0 && close(sockets[1]) == 0);
    CHECK((file = open("/proc/self/exe", O_RDONLY)) >= 0);
    check_pending(0);
    CHECK_FAILS(write(pipes[1], "x", 1), EPIPE);
    take_pending(&pipe_signal);
    CHECK_FAILS(write(sockets[0], "x", 1), EPIPE);
    take_pending(&pipe_signal);
    CHECK_FAILS(sendfile(sockets[0], file, NULL, 100), EPIPE);
    take_pending(&pipe_signal);
    CHECK_FAILS(send(sockets[0], "x", 1, MSG_NOSIGNAL), EPIPE);
    check_pending(0);
    CHECK(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    puts("went on");
    return unused;
}

static void *careless(void *unused)
{
    int pipes[2];
    CHECK(pipe(pipes) == 0 && close(pipes[0]) == 0);
    CHECK_FAILS(write(pipes[1], "x", 1), EPIPE);
    return unused;
}

int main(void)
{
    struct sigaction action;
    int status;
    guest_join(guest_start(careful, NULL));
    CHECK(sigaction(SIGPIPE, NULL, &action) == 0 && action.sa_handler == SIG_DFL);
    fflush(stdout);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        guest_join(guest_start(careful, NULL));
        guest_join(guest_start(careless, NULL));
        _exit(1);
    }
    CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
    printf("ended by signal %d\n", WTERMSIG(status));
    return guest_success();
}
