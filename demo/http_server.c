// SPDX-License-Identifier: MIT
/*
 * http_server: HTTP/1.1 with one thread per connection and blocking calls throughout.
 *
 *     http_server [--port P] [--body N]
 *
 * Every request is answered with the same N bytes of text (1024 when not given). Connections are kept
 * alive, pipelined requests are answered in order, request bodies with a Content-Length are skipped.
 * It listens on the loopback address (port 0 takes any free one) and prints `listening on PORT`.
 *
 * epoll_http_server.c is the same server written by hand on epoll; both answer byte for byte alike, and
 * http_check.c holds them to that. Each stands in one file so that it compiles with `cc -pthread`.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { INPUT_SIZE = 8192 };

static const char bad_request[] =
    "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/* The answer to every good request; HEAD gets the first response_head bytes of it. */
static char *response;
static size_t response_head;
static size_t response_size;

struct request {
    size_t size; /* bytes of the request, its body included */
    bool head_only;
    bool keep_alive;
};

static void build_response(size_t body)
{
    char head[128];

    response_head = (size_t)snprintf(head, sizeof head,
                                     "HTTP/1.1 200 OK\r\n"
                                     "Content-Type: text/plain\r\n"
                                     "Content-Length: %zu\r\n\r\n",
                                     body);
    response_size = response_head + body;
    response = malloc(response_size);
    if (response == NULL) {
        perror("http_server");
        exit(1);
    }
    memcpy(response, head, response_head);
    for (size_t i = 0; i < body; i++)
        response[response_head + i] = (char)('a' + i % 26);
}

/* Parses the request at the start of text: 1 when it is whole, 0 when more must be read, -1 when it is bad.
 */
static int parse_request(const char *text, size_t size, struct request *request)
{
    const char *end = memmem(text, size, "\r\n\r\n", 4);
    const char *line;
    size_t length;
    size_t body = 0;

    if (end == NULL)
        return size < INPUT_SIZE ? 0 : -1;
    line = memmem(text, size, "\r\n", 2);
    length = (size_t)(line - text);
    if (length < sizeof "G / HTTP/1.1" - 1 || memcmp(line - 9, " HTTP/1.", 8) != 0)
        return -1;
    request->keep_alive = line[-1] != '0';
    request->head_only = memcmp(text, "HEAD ", 5) == 0;
    while (line < end) {
        line += 2;
        if (strncasecmp(line, "Content-Length:", 15) == 0) {
            const char *digit = line + 15 + strspn(line + 15, " ");

            for (; *digit >= '0' && *digit <= '9' && body <= INPUT_SIZE; digit++)
                body = body * 10 + (size_t)(*digit - '0');
        } else if (strncasecmp(line, "Connection: close", 17) == 0) {
            request->keep_alive = false;
        } else if (strncasecmp(line, "Connection: keep-alive", 22) == 0) {
            request->keep_alive = true;
        }
        line = memmem(line, (size_t)(end + 2 - line), "\r\n", 2);
    }
    request->size = (size_t)(end - text) + 4 + body;
    if (request->size > INPUT_SIZE)
        return -1;
    return request->size <= size;
}

static int write_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t written = write(fd, data, size);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -1;
        data += written;
        size -= (size_t)written;
    }
    return 0;
}

/* Answers the whole requests at the start of input; returns the bytes they took, or -1 to hang up. */
static ssize_t answer(int fd, const char *input, size_t size)
{
    size_t done = 0;

    while (done < size) {
        struct request request;
        int found = parse_request(input + done, size - done, &request);

        if (found == 0)
            break;
        if (found < 0) {
            write_all(fd, bad_request, sizeof bad_request - 1);
            return -1;
        }
        if (write_all(fd, response, request.head_only ? response_head : response_size) != 0)
            return -1;
        if (!request.keep_alive)
            return -1;
        done += request.size;
    }
    return (ssize_t)done;
}

static void *serve(void *argument)
{
    int fd = (int)(intptr_t)argument;
    char input[INPUT_SIZE];
    size_t used = 0;

    for (;;) {
        ssize_t size = read(fd, input + used, sizeof input - used);
        ssize_t done;

        if (size < 0 && errno == EINTR)
            continue;
        if (size <= 0)
            break;
        used += (size_t)size;
        done = answer(fd, input, used);
        if (done < 0)
            break;
        used -= (size_t)done;
        memmove(input, input + done, used);
    }
    close(fd);
    return NULL;
}

static int listen_on(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    socklen_t length = sizeof address;
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 65535) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) != 0) {
        perror("http_server: listen");
        exit(1);
    }
    printf("listening on %d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

static void accept_forever(int listener)
{
    for (;;) {
        pthread_t thread;
        int one = 1;
        int error;
        int fd = accept(listener, NULL, NULL);

        if (fd < 0) {
            if (errno == EINTR || errno == ECONNABORTED)
                continue;
            perror("http_server: accept");
            if (errno != EMFILE && errno != ENFILE)
                exit(1);
            usleep(10000);
            continue;
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        error = pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd);
        if (error != 0) {
            fprintf(stderr, "http_server: pthread_create: %s\n", strerror(error));
            close(fd);
            continue;
        }
        pthread_detach(thread);
    }
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"port", required_argument, NULL, 'p'}, {"body", required_argument, NULL, 'b'}, {NULL, 0, NULL, 0}};
    int port = 8000;
    size_t body = 1024;
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'p') {
            port = atoi(optarg);
        } else if (option == 'b') {
            body = strtoul(optarg, NULL, 10);
        } else {
            fprintf(stderr, "usage: http_server [--port P] [--body N]\n");
            return 2;
        }
    }
    build_response(body);
    signal(SIGPIPE, SIG_IGN);
    accept_forever(listen_on(port));
}
