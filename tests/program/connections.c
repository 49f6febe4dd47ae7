// SPDX-License-Identifier: MIT
// A thread that makes, accepts and closes connections of its own host, as servers and proxies do: for
// count-added, which counts what they cost.
#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROUNDS = 500 };

static int listener; // older than the thread, and so than weft's being active
static struct sockaddr_in address = {.sin_family = AF_INET};

static void require(int right)
{
    if (!right)
        abort();
}

static void *make_connections(void *unused)
{
    char answer[100];
    for (int i = 0; i < ROUNDS; i++) {
        int client = socket(AF_INET, SOCK_STREAM, 0);
        require(connect(client, (struct sockaddr *)&address, sizeof address) == 0);
        int server = accept(listener, NULL, NULL);
        require(send(client, "request", 7, 0) == 7);
        require(recv(server, answer, sizeof answer, 0) == 7);
        require(close(client) == 0 && close(server) == 0);
    }
    return unused;
}

int main(void)
{
    pthread_t thread;
    socklen_t size = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener = socket(AF_INET, SOCK_STREAM, 0);
    require(bind(listener, (struct sockaddr *)&address, sizeof address) == 0 && listen(listener, 1) == 0);
    require(getsockname(listener, (struct sockaddr *)&address, &size) == 0);
    require(pthread_create(&thread, NULL, make_connections, NULL) == 0 && pthread_join(thread, NULL) == 0);
    return 0;
}
