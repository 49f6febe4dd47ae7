// SPDX-License-Identifier: MIT
// Streams of stdio over sockets: fifty threads talk with a server of fgets and fprintf, line by line.
#include "io.h"

enum { CLIENTS = 50, LINES = 20 };

static int listener;
static struct sockaddr_in address;

static void *conversation(void *argument)
{
    int fd = (int)(intptr_t)argument;
    FILE *in = fdopen(fd, "r"), *out = fdopen(dup(fd), "w");
    char line[100];
    CHECK(in && out && setvbuf(out, NULL, _IOLBF, 200) == 0);
    while (fgets(line, sizeof line, in)) {
        int a, b;
        CHECK(sscanf(line, "add %d %d", &a, &b) == 2);
        CHECK(fprintf(out, "sum %d\n", a + b) > 0);
    }
    CHECK(feof(in));
    fclose(in);
    fclose(out);
    return NULL;
}

static void *serve(void *unused)
{
    pthread_t thread[CLIENTS];
    for (int i = 0; i < CLIENTS; i++)
        thread[i] = guest_start(conversation, (void *)(intptr_t)accept(listener, NULL, NULL));
    for (int i = 0; i < CLIENTS; i++)
        guest_join(thread[i]);
    return unused;
}

static void *client(void *argument)
{
    int self = (int)(intptr_t)argument, fd = tcp_connect(&address), sum = 0;
    char line[100];
    FILE *in = fdopen(fd, "r"), *out = fdopen(dup(fd), "w");
    for (int i = 0; i < LINES; i++) {
        CHECK(fprintf(out, "add %d %d\n", self, i) > 0 && fflush(out) == 0);
        CHECK(fgets(line, sizeof line, in) && sscanf(line, "sum %d", &sum) == 1);
        CHECK(sum == self + i);
    }
    fclose(out);
    fclose(in);
    return (void *)(intptr_t)sum;
}

int main(void)
{
    listener = tcp_listen(CLIENTS, &address);
    pthread_t server = guest_start(serve, NULL);
    printf("%ld\n", (long)guest_threads(CLIENTS, client));
    guest_join(server);
    return guest_success();
}
