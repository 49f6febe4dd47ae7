// SPDX-License-Identifier: MIT
/*
 * ping_pong: two threads send one byte to and fro with blocking read and write; one operation is one byte,
 * one way.
 *
 *     ping_pong pipe|socketpair|tcp [MS]
 */
#include "bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

struct end {
    int in;
    int out;
    uint64_t rounds;
};

static struct end ends[2];

static void pass(int result, const char *what)
{
    bench_check(result < 0 ? errno : 0, what);
}

static void receive(struct end *end)
{
    char byte;

    if (read(end->in, &byte, 1) != 1)
        bench_check(errno != 0 ? errno : EPIPE, "read");
}

static void transmit(struct end *end)
{
    if (write(end->out, "x", 1) != 1)
        bench_check(errno, "write");
}

static void *answer(void *argument)
{
    struct end *end = argument;

    for (uint64_t i = 0; i < end->rounds; i++) {
        receive(end);
        transmit(end);
    }
    return NULL;
}

static uint64_t run(uint64_t operations)
{
    pthread_t thread;
    uint64_t began;

    ends[1].rounds = operations / 2;
    bench_start(&thread, answer, &ends[1]);
    began = bench_now();
    for (uint64_t i = 0; i < operations / 2; i++) {
        transmit(&ends[0]);
        receive(&ends[0]);
    }
    bench_join(thread);
    return bench_now() - began;
}

static void open_tcp(int pair[2])
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof address;
    int one = 1;
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    pass(bind(listener, (struct sockaddr *)&address, sizeof address), "bind");
    pass(listen(listener, 1), "listen");
    pass(getsockname(listener, (struct sockaddr *)&address, &length), "getsockname");
    pair[0] = socket(AF_INET, SOCK_STREAM, 0);
    pass(connect(pair[0], (struct sockaddr *)&address, sizeof address), "connect");
    pair[1] = accept(listener, NULL, NULL);
    pass(pair[1], "accept");
    for (int i = 0; i < 2; i++)
        pass(setsockopt(pair[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one), "TCP_NODELAY");
    close(listener);
}

int main(int argc, char **argv)
{
    int pair[2];

    if (argc > 1 && strcmp(argv[1], "pipe") == 0) {
        pass(pipe(pair), "pipe");
        ends[0].in = pair[0];
        ends[1].out = pair[1];
        pass(pipe(pair), "pipe");
        ends[1].in = pair[0];
        ends[0].out = pair[1];
    } else if (argc > 1 && (strcmp(argv[1], "socketpair") == 0 || strcmp(argv[1], "tcp") == 0)) {
        if (argv[1][0] == 't')
            open_tcp(pair);
        else
            pass(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "socketpair");
        for (int i = 0; i < 2; i++)
            ends[i].in = ends[i].out = pair[i];
    } else {
        fprintf(stderr, "usage: ping_pong pipe|socketpair|tcp [MS]\n");
        return 2;
    }
    return bench_main(argc - 1, argv + 1, run);
}
