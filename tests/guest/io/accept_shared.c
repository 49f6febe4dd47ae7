// SPDX-License-Identifier: MIT
// Eight threads blocked in accept on one listener: each of 200 connections is served by exactly one of
// them.
#include "io.h"

enum { ACCEPTORS = 8, CLIENTS = 10, CONNECTIONS = 200 };

static int listener;
static struct sockaddr_in address;
static atomic_int served[CONNECTIONS];

static void *acceptor(void *unused)
{
    for (;;) {
        int number;
        blocks_next();
        int fd = accept(listener, NULL, NULL);
        CHECK(fd >= 0);
        read_whole(fd, &number, sizeof number);
        if (number >= 0)
            atomic_fetch_add(&served[number], 1);
        CHECK(write(fd, &number, sizeof number) == sizeof number);
        close(fd);
        if (number < 0)
            return unused;
    }
}

static void ask(int number)
{
    int answer, fd = tcp_connect(&address);
    CHECK(write(fd, &number, sizeof number) == sizeof number);
    read_whole(fd, &answer, sizeof answer);
    CHECK(answer == number);
    CHECK(read(fd, &answer, 1) == 0);
    close(fd);
}

static void *client(void *argument)
{
    for (int i = 0; i < CONNECTIONS / CLIENTS; i++)
        ask((int)(intptr_t)argument * (CONNECTIONS / CLIENTS) + i);
    return NULL;
}

int main(void)
{
    pthread_t thread[ACCEPTORS];
    int total = 0;
    listener = tcp_listen(CONNECTIONS, &address);
    for (int i = 0; i < ACCEPTORS; i++)
        thread[i] = guest_start(acceptor, NULL);
    wait_blocked(ACCEPTORS);
    guest_threads(CLIENTS, client);
    for (int i = 0; i < ACCEPTORS; i++)
        ask(-1);
    for (int i = 0; i < ACCEPTORS; i++)
        guest_join(thread[i]);
    for (int i = 0; i < CONNECTIONS; i++) {
        CHECK(served[i] == 1);
        total += served[i];
    }
    printf("%d connections served once\n", total);
    return guest_success();
}
