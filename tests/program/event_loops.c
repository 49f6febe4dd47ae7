// SPDX-License-Identifier: MIT
// Two threads with an event loop each, and a process that asks them in turn and waits for each answer: for
// count-added, which counts what that costs.
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LOOPS = 2, ROUNDS = 1500 /* of each */, REST = 200000 /* ns: the loops sleep meanwhile */ };

static int pairs[LOOPS][2];

static void require(int right)
{
    if (!right)
        abort();
}

static void *loop(void *argument)
{
    int fd = *(int *)argument, all = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN};
    char request;
    require(epoll_ctl(all, EPOLL_CTL_ADD, fd, &event) == 0);
    for (int i = 0; i < ROUNDS; i++) {
        require(epoll_wait(all, &event, 1, -1) == 1);
        require(recv(fd, &request, 1, 0) == 1);
        require(send(fd, &request, 1, 0) == 1);
    }
    return NULL;
}

static void ask(void)
{
    const struct timespec rest = {0, REST};
    char answer;
    for (int i = 0; i < ROUNDS; i++)
        for (int j = 0; j < LOOPS; j++) {
            require(send(pairs[j][1], "?", 1, 0) == 1 && recv(pairs[j][1], &answer, 1, 0) == 1);
            nanosleep(&rest, NULL);
        }
}

int main(void)
{
    pthread_t threads[LOOPS];
    int status;
    for (int i = 0; i < LOOPS; i++)
        require(socketpair(AF_UNIX, SOCK_STREAM, 0, pairs[i]) == 0);
    pid_t child = fork();
    if (child == 0) {
        ask();
        _exit(0);
    }
    for (int i = 0; i < LOOPS; i++)
        require(pthread_create(&threads[i], NULL, loop, &pairs[i][0]) == 0);
    for (int i = 0; i < LOOPS; i++)
        require(pthread_join(threads[i], NULL) == 0);
    require(waitpid(child, &status, 0) == child && status == 0);
    return 0;
}
