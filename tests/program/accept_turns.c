// SPDX-License-Identifier: MIT
// Accepts connections that all wait already, on one processor, and makes a thread for each: another thread,
// which is ready all the time, must have its turns meanwhile.
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS = 64, TURNS = 3 };

static int turns, done;

static void require(int right)
{
    if (!right)
        abort();
}

static void *other(void *argument)
{
    while (!__atomic_load_n(&done, __ATOMIC_SEQ_CST)) {
        __atomic_fetch_add(&turns, 1, __ATOMIC_SEQ_CST);
        sched_yield();
    }
    return argument;
}

static void *serve(void *connection)
{
    char byte;
    require(read((int)(intptr_t)connection, &byte, 1) == 0);
    require(close((int)(intptr_t)connection) == 0);
    return NULL;
}

int main(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int clients[CONNECTIONS], listener = socket(AF_INET, SOCK_STREAM, 0);
    pthread_t thread, servers[CONNECTIONS];
    require(bind(listener, (struct sockaddr *)&address, length) == 0);
    require(listen(listener, CONNECTIONS) == 0);
    require(getsockname(listener, (struct sockaddr *)&address, &length) == 0);
    require(pthread_create(&thread, NULL, other, NULL) == 0);
    while (__atomic_load_n(&turns, __ATOMIC_SEQ_CST) == 0)
        sched_yield();
    for (int i = 0; i < CONNECTIONS; i++) {
        clients[i] = socket(AF_INET, SOCK_STREAM, 0);
        require(connect(clients[i], (struct sockaddr *)&address, length) == 0);
    }
    int before = __atomic_load_n(&turns, __ATOMIC_SEQ_CST);
    for (int i = 0; i < CONNECTIONS; i++) {
        int connection = accept(listener, NULL, NULL);
        require(connection >= 0);
        require(pthread_create(&servers[i], NULL, serve, (void *)(intptr_t)connection) == 0);
    }
    int had = __atomic_load_n(&turns, __ATOMIC_SEQ_CST) - before;
    __atomic_store_n(&done, 1, __ATOMIC_SEQ_CST);
    require(pthread_join(thread, NULL) == 0);
    for (int i = 0; i < CONNECTIONS; i++)
        require(close(clients[i]) == 0 && pthread_join(servers[i], NULL) == 0);
    printf("%d connections accepted, %d turns of the other thread meanwhile\n", CONNECTIONS, had);
    return had < TURNS;
}
