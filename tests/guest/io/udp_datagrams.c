// SPDX-License-Identifier: MIT
// recvfrom on UDP waits, keeps the boundaries of datagrams, tells the sender's address, cuts what does not
// fit; an unconnected socket answers each sender by sendto.
#include "io.h"

static int server;
static struct sockaddr_in server_address;

static void *serve(void *unused)
{
    for (int i = 0; i < 40; i++) {
        char text[16];
        struct sockaddr_in from;
        socklen_t length = sizeof from;
        ssize_t count = recvfrom(server, text, sizeof text, 0, (struct sockaddr *)&from, &length);
        CHECK(count > 0 && length == sizeof from && from.sin_addr.s_addr == htonl(INADDR_LOOPBACK));
        CHECK(sendto(server, text, (size_t)count, 0, (struct sockaddr *)&from, length) == count);
    }
    return unused;
}

static void *client(void *argument)
{
    struct sockaddr_in own, from;
    int self = (int)(intptr_t)argument, fd = inet_bound(SOCK_DGRAM, &own);
    for (int i = 0; i < 10; i++) {
        char text[64], answer[64];
        socklen_t length = sizeof from;
        int count = snprintf(text, sizeof text, "client %d, %0*d", self, i + 1, i);
        CHECK(sendto(fd, text, (size_t)count, 0, (struct sockaddr *)&server_address, sizeof server_address) ==
              count);
        CHECK(recvfrom(fd, answer, sizeof answer, 0, (struct sockaddr *)&from, &length) ==
              (count < 16 ? count : 16));
        CHECK(memcmp(text, answer, count < 16 ? (size_t)count : 16) == 0);
        CHECK(from.sin_port == server_address.sin_port);
    }
    close(fd);
    return NULL;
}

int main(void)
{
    pthread_t thread[5];
    server = inet_bound(SOCK_DGRAM, &server_address);
    thread[0] = guest_start(serve, NULL);
    for (int i = 1; i < 5; i++)
        thread[i] = guest_start(client, (void *)(intptr_t)i);
    for (int i = 0; i < 5; i++)
        guest_join(thread[i]);
    puts("4 clients, 10 answers each");
    return guest_success();
}
