// SPDX-License-Identifier: MIT
// Three processes with two threads each accept on one inherited listener: each of 60 connections is served
// once, and by nobody else.
#include "io.h"

enum { PROCESSES = 3, THREADS = 2, CONNECTIONS = 60 };

static int listener, report[2];
static struct sockaddr_in address;

static void *acceptor(void *unused)
{
    for (;;) {
        int number, fd = accept(listener, NULL, NULL);
        CHECK(fd >= 0);
        read_whole(fd, &number, sizeof number);
        close(fd);
        if (number < 0)
            return unused;
        CHECK(write(report[1], &number, sizeof number) == sizeof number);
    }
}

static void ask(int number)
{
    int fd = tcp_connect(&address);
    CHECK(write(fd, &number, sizeof number) == sizeof number);
    CHECK(read(fd, &number, 1) == 0);
    close(fd);
}

static void *client(void *argument)
{
    for (int i = 0; i < CONNECTIONS / 10; i++)
        ask((int)(intptr_t)argument * (CONNECTIONS / 10) + i);
    return NULL;
}

int main(void)
{
    pid_t child[PROCESSES];
    pthread_t thread[THREADS];
    int seen[CONNECTIONS] = {0}, number, status;
    CHECK(pipe(report) == 0);
    listener = tcp_listen(CONNECTIONS, &address);
    become_threaded();
    for (int i = 0; i < PROCESSES; i++) {
        child[i] = fork();
        CHECK(child[i] >= 0);
        if (child[i] == 0) {
            for (int t = 0; t < THREADS; t++)
                thread[t] = guest_start(acceptor, NULL);
            for (int t = 0; t < THREADS; t++)
                guest_join(thread[t]);
            _exit(0);
        }
    }
    guest_threads(10, client);
    for (int i = 0; i < CONNECTIONS; i++) {
        read_whole(report[0], &number, sizeof number);
        CHECK(number >= 0 && number < CONNECTIONS && seen[number]++ == 0);
    }
    for (int i = 0; i < PROCESSES * THREADS; i++)
        ask(-1);
    for (int i = 0; i < PROCESSES; i++)
        CHECK(waitpid(child[i], &status, 0) == child[i] && status == 0);
    CHECK(unread(report[0]) == 0);
    printf("%d connections\n", CONNECTIONS);
    return guest_success();
}
