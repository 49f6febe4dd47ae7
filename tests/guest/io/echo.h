// SPDX-License-Identifier: MIT
// A thread-per-connection echo server and clients that check what comes back, for any stream listener.
#ifndef GUEST_IO_ECHO_H
#define GUEST_IO_ECHO_H

#include "io.h"

enum { ECHO_CLIENTS = 200, ECHO_ROUNDS = 10, ECHO_BYTES = 5000 };

static int echo_listener;
static struct sockaddr_storage echo_address;
static socklen_t echo_address_length;

static void *echo_connection(void *argument)
{
    int fd = (int)(intptr_t)argument;
    char piece[700];
    ssize_t count;
    while ((count = read(fd, piece, sizeof piece)) > 0)
        CHECK(write(fd, piece, (size_t)count) == count);
    CHECK(count == 0);
    CHECK(close(fd) == 0);
    return NULL;
}

static void *echo_server(void *unused)
{
    static pthread_t thread[ECHO_CLIENTS];
    for (int i = 0; i < ECHO_CLIENTS; i++) {
        int fd = accept(echo_listener, NULL, NULL);
        CHECK(fd >= 0);
        thread[i] = guest_start(echo_connection, (void *)(intptr_t)fd);
    }
    for (int i = 0; i < ECHO_CLIENTS; i++)
        guest_join(thread[i]);
    return unused;
}

static void *echo_client(void *argument)
{
    size_t start = (size_t)(intptr_t)argument * 1000;
    unsigned char sent[ECHO_BYTES], got[ECHO_BYTES];
    int fd = socket(echo_address.ss_family, SOCK_STREAM, 0);
    CHECK(fd >= 0);
    CHECK(connect(fd, (struct sockaddr *)&echo_address, echo_address_length) == 0);
    for (int round = 1; round <= ECHO_ROUNDS; round++) {
        size_t length = (size_t)ECHO_BYTES / (size_t)round;
        pattern_fill(sent, length, start + (size_t)round);
        CHECK(write(fd, sent, length) == (ssize_t)length);
        read_whole(fd, got, length);
        CHECK(memcmp(sent, got, length) == 0);
    }
    CHECK(close(fd) == 0);
    return argument;
}

// All clients are connected at the same time to a server in this process; returns the number of clients
// served.
static inline int echo_all(void)
{
    pthread_t server = guest_start(echo_server, NULL);
    CHECK(guest_threads(ECHO_CLIENTS, echo_client) == ECHO_CLIENTS * (ECHO_CLIENTS - 1) / 2);
    guest_join(server);
    return ECHO_CLIENTS;
}

#endif
