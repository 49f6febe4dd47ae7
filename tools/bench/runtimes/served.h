// SPDX-License-Identifier: MIT
/*
 * served.h: what the C servers beside it have in common, so that they differ in their runtime alone.
 *
 *     SERVER [--port P] [--body N] [--echo]
 *
 * They answer byte for byte as demo/http_server does (demo/http_check holds them to it), or with --echo send
 * back what comes. They listen on the loopback address and print `listening on PORT`.
 */
#ifndef RUNTIMES_SERVED_H
#define RUNTIMES_SERVED_H

#include <arpa/inet.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

enum { INPUT_SIZE = 8192 };

struct reply {
    const char *data; /* valid as long as the input that it answers */
    size_t size;
    bool last; /* hang up after it */
};

static bool echo;
static char *response;
static size_t response_head;
static size_t response_size;

/*
 * The reply to what stands at the start of input. Returns the bytes of input that it answers, or 0 when the
 * request is not whole yet.
 */
static inline size_t next_reply(const char *input, size_t size, struct reply *reply)
{
    static const char bad[] = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    const char *end, *line;
    size_t body = 0;

    *reply = (struct reply){input, size, false};
    if (echo || size == 0)
        return size;
    *reply = (struct reply){bad, sizeof bad - 1, true};
    end = memmem(input, size, "\r\n\r\n", 4);
    if (end == NULL)
        return size < INPUT_SIZE ? 0 : size;
    line = memmem(input, size, "\r\n", 2);
    if ((size_t)(line - input) < sizeof "G / HTTP/1.1" - 1 || memcmp(line - 9, " HTTP/1.", 8) != 0)
        return size;
    bool close_after = line[-1] == '0';
    while (line < end) {
        line += 2;
        if (strncasecmp(line, "Content-Length:", 15) == 0) {
            const char *digit = line + 15 + strspn(line + 15, " ");

            for (; *digit >= '0' && *digit <= '9' && body <= INPUT_SIZE; digit++)
                body = body * 10 + (size_t)(*digit - '0');
        } else if (strncasecmp(line, "Connection: close", 17) == 0) {
            close_after = true;
        } else if (strncasecmp(line, "Connection: keep-alive", 22) == 0) {
            close_after = false;
        }
        line = memmem(line, (size_t)(end + 2 - line), "\r\n", 2);
    }
    body += (size_t)(end - input) + 4;
    if (body > INPUT_SIZE)
        return size;
    if (body > size)
        return 0;
    reply->data = response;
    reply->size = memcmp(input, "HEAD ", 5) == 0 ? response_head : response_size;
    reply->last = close_after;
    return body;
}

static inline void build_response(size_t body)
{
    char head[128];

    response_head =
        (size_t)snprintf(head, sizeof head,
                         "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n\r\n", body);
    response_size = response_head + body;
    response = malloc(response_size);
    if (response == NULL) {
        perror("malloc");
        exit(1);
    }
    memcpy(response, head, response_head);
    for (size_t i = 0; i < body; i++)
        response[response_head + i] = (char)('a' + i % 26);
}

/* Reads the options and opens the listener, `flags` (SOCK_NONBLOCK) on it. Accepted sockets inherit
 * TCP_NODELAY. */
static inline int open_listener(int argc, char **argv, int flags)
{
    static const struct option options[] = {{"port", required_argument, NULL, 'p'},
                                            {"body", required_argument, NULL, 'b'},
                                            {"echo", no_argument, NULL, 'e'},
                                            {NULL, 0, NULL, 0}};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    size_t body = 1024;
    int one = 1;
    int option, fd;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'p') {
            address.sin_port = htons((uint16_t)atoi(optarg));
        } else if (option == 'b') {
            body = strtoul(optarg, NULL, 10);
        } else if (option == 'e') {
            echo = true;
        } else {
            fprintf(stderr, "usage: %s [--port P] [--body N] [--echo]\n", argv[0]);
            exit(2);
        }
    }
    build_response(body);
    signal(SIGPIPE, SIG_IGN);
    fd = socket(AF_INET, SOCK_STREAM | flags, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) != 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 65535) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) != 0) {
        perror("listen");
        exit(1);
    }
    printf("listening on %d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

#endif
