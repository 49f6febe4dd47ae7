// SPDX-License-Identifier: MIT
// Claims: a process with threads forks workers, each of which makes threads that accept on one inherited
// socket; a worker that dies is replaced while connections are served, and every connection is answered
// exactly once.
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include "guest.h"

#define WORKERS     3
#define THREADS     4
#define CONNECTIONS 90

static int listener, letters;

static void *serves(void *argument)
{
    (void)argument;
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        CHECK(fd >= 0);
        int number;
        CHECK_EQUAL(read(fd, &number, sizeof number), sizeof number);
        number = -number;
        CHECK_EQUAL(write(fd, &number, sizeof number), sizeof number);
        CHECK_EQUAL(close(fd), 0);
    }
}

static pid_t start_worker(void)
{
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        guest_threads(THREADS, serves);
        _exit(1);
    }
    return child;
}

static void *asks(void *index)
{
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    CHECK_EQUAL(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    int fd = socket(AF_INET, SOCK_STREAM, 0), number = (int)(intptr_t)index + 1, answer = 0;
    CHECK(fd >= 0);
    CHECK_EQUAL(connect(fd, (struct sockaddr *)&address, length), 0);
    CHECK_EQUAL(write(fd, &number, sizeof number), sizeof number);
    CHECK_EQUAL(read(fd, &answer, sizeof answer), sizeof answer);
    CHECK_EQUAL(answer, -number);
    CHECK_EQUAL(close(fd), 0);
    return (void *)1;
}

static void end_worker(pid_t worker)
{
    int status;
    CHECK_EQUAL(kill(worker, SIGKILL), 0);
    CHECK_EQUAL(waitpid(worker, &status, 0), worker);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL); // not by a failed check
}

int main(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    pid_t workers[WORKERS];
    listener = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(listener >= 0);
    CHECK_EQUAL(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    CHECK_EQUAL(listen(listener, 128), 0);
    for (int i = 0; i < WORKERS; i++)
        workers[i] = start_worker();
    for (int round = 0; round < WORKERS; round++) {
        letters += (int)guest_threads(CONNECTIONS / WORKERS, asks);
        end_worker(workers[round]); // all are answered: it holds no connection
        workers[round] = start_worker();
    }
    CHECK_EQUAL(letters, CONNECTIONS);
    for (int i = 0; i < WORKERS; i++)
        end_worker(workers[i]);
    return guest_success();
}
