// SPDX-License-Identifier: MIT
// A child process that shares the descriptions never sees an O_NONBLOCK that the program did not set,
// while threads of the parent are blocked in read and accept on them; its own blocking read there blocks.
#include "io.h"

static int pipe_fd[2], tcp_fd[2], listener, to_child[2], from_child[2];
static struct sockaddr_in address;

static void *in_read(void *argument)
{
    char byte;
    blocks_next();
    CHECK(read(*(int *)argument, &byte, 1) == 1);
    return NULL;
}

static void *in_accept(void *unused)
{
    blocks_next();
    CHECK(accept(listener, NULL, NULL) >= 0);
    return unused;
}

static void child(void)
{
    char byte;
    for (int round = 0; round < 100; round++) {
        CHECK((fcntl(pipe_fd[0], F_GETFL) & O_NONBLOCK) == 0);
        CHECK((fcntl(tcp_fd[0], F_GETFL) & O_NONBLOCK) == 0);
        CHECK((fcntl(listener, F_GETFL) & O_NONBLOCK) == 0);
        CHECK((fcntl(to_child[0], F_GETFL) & O_NONBLOCK) == 0);
        sched_yield();
    }
    CHECK(write(from_child[1], "c", 1) == 1);
    CHECK(read(to_child[0], &byte, 1) == 1);
    _exit(0);
}

int main(void)
{
    char byte;
    int status;
    pthread_t thread[3];
    CHECK(pipe(pipe_fd) == 0 && pipe(to_child) == 0 && pipe(from_child) == 0);
    tcp_pair(tcp_fd);
    listener = tcp_listen(5, &address);
    thread[0] = guest_start(in_read, &pipe_fd[0]);
    thread[1] = guest_start(in_read, &tcp_fd[0]);
    thread[2] = guest_start(in_accept, NULL);
    wait_blocked(3);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0)
        child();
    CHECK(read(from_child[0], &byte, 1) == 1);
    CHECK(write(to_child[1], "p", 1) == 1);
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    CHECK(write(pipe_fd[1], "x", 1) == 1);
    CHECK(write(tcp_fd[1], "x", 1) == 1);
    tcp_connect(&address);
    for (int i = 0; i < 3; i++)
        guest_join(thread[i]);
    puts("no flag leaked");
    return guest_success();
}
