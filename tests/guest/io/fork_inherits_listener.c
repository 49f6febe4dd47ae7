// SPDX-License-Identifier: MIT
// A forked child serves the inherited listener with a thread for each connection while the parent's
// threads are its clients.
#include "io.h"

enum { CLIENTS = 20 };

static int listener;
static struct sockaddr_in address;

static void *serve(void *argument)
{
    int fd = (int)(intptr_t)argument, number;
    read_whole(fd, &number, sizeof number);
    number *= 3;
    CHECK(write(fd, &number, sizeof number) == sizeof number);
    CHECK(read(fd, &number, 1) == 0);
    close(fd);
    return NULL;
}

static void *client(void *argument)
{
    int number = (int)(intptr_t)argument, answer, fd = tcp_connect(&address);
    CHECK(write(fd, &number, sizeof number) == sizeof number);
    read_whole(fd, &answer, sizeof answer);
    CHECK(answer == 3 * number);
    close(fd);
    return (void *)(intptr_t)answer;
}

int main(void)
{
    int status;
    listener = tcp_listen(CLIENTS, &address);
    become_threaded();
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        pthread_t thread[CLIENTS];
        for (int i = 0; i < CLIENTS; i++)
            thread[i] = guest_start(serve, (void *)(intptr_t)accept(listener, NULL, NULL));
        for (int i = 0; i < CLIENTS; i++)
            guest_join(thread[i]);
        _exit(0);
    }
    printf("sum %ld\n", (long)guest_threads(CLIENTS, client));
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    return guest_success();
}
