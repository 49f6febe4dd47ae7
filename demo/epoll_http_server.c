// SPDX-License-Identifier: MIT
/*
 * epoll_http_server: http_server.c written by hand on epoll, the yardstick of the benchmarks.
 *
 *     epoll_http_server [--port P] [--body N] [--threads N]
 *
 * One edge-triggered loop per thread, each with its own SO_REUSEPORT listener; nothing is shared between
 * loops. Two system calls per request besides epoll_wait's share: one recv, one send.
 *
 * Rules:
 * 1. A connection is registered once, for input and output, and never modified.
 * 2. A short recv has drained the socket, so no second recv looks for EAGAIN: what comes later makes a new
 *    edge. Only when the peer's FIN was reported with the data is there a second recv.
 * 3. Requests are read into the loop's buffer, which stays in the cache; a connection owns memory for input
 *    only while it holds part of a request.
 * 4. A send that the socket did not take whole stops the connection until the next edge for output.
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
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { INPUT_SIZE = 8192, EVENTS = 512, MAX_THREADS = 256 };

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

struct connection {
    int fd;
    bool closing;       /* hang up when the output is gone */
    const char *output; /* what the socket did not take yet */
    size_t output_size;
    char *input; /* the beginning of a request whose rest has not come; NULL when there is none */
    size_t input_size;
};

static void die(const char *what)
{
    fprintf(stderr, "epoll_http_server: %s: %s\n", what, strerror(errno));
    exit(1);
}

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
    if (response == NULL)
        die("malloc");
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

static void hang_up(struct connection *connection)
{
    close(connection->fd);
    free(connection->input);
    free(connection);
}

/* 0 when all output is gone, 1 when the socket takes no more now, -1 when the peer is gone. */
static int flush_output(struct connection *connection)
{
    while (connection->output_size > 0) {
        ssize_t sent = send(connection->fd, connection->output, connection->output_size, MSG_NOSIGNAL);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return errno == EAGAIN ? 1 : -1;
        connection->output += sent;
        connection->output_size -= (size_t)sent;
    }
    return 0;
}

/*
 * Answers the requests at the start of text and stores in *done the bytes that they took. Returns 0 when
 * the rest is no whole request, 1 when the socket takes no more now, -1 to hang up.
 */
static int answer(struct connection *connection, const char *text, size_t size, size_t *done)
{
    *done = 0;
    while (*done < size) {
        struct request request;
        int found = parse_request(text + *done, size - *done, &request);
        int state;

        if (found == 0)
            return 0;
        if (found < 0) {
            connection->output = bad_request;
            connection->output_size = sizeof bad_request - 1;
            connection->closing = true;
        } else {
            connection->output = response;
            connection->output_size = request.head_only ? response_head : response_size;
            connection->closing = !request.keep_alive;
            *done += request.size;
        }
        state = flush_output(connection);
        if (state != 0)
            return state;
        if (connection->closing)
            return -1;
    }
    return 0;
}

/* Stores what was read and not used for the next edge. */
static int keep_input(struct connection *connection, const char *text, size_t size)
{
    if (size == 0)
        return 0;
    connection->input = malloc(size);
    if (connection->input == NULL)
        return -1;
    memcpy(connection->input, text, size);
    connection->input_size = size;
    return 0;
}

/* Goes on with a connection as far as it can; returns -1 when it is to be hung up. */
static int serve(struct connection *connection, char *buffer, uint32_t events)
{
    bool ended = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    bool resumed = connection->output_size > 0;
    size_t used = connection->input_size;
    size_t done = 0;
    int state = flush_output(connection);

    if (state != 0)
        return state < 0 ? -1 : 0;
    if (resumed && connection->closing)
        return -1;
    if (!resumed && !(events & EPOLLIN) && !ended)
        return 0;
    if (used > 0) {
        memcpy(buffer, connection->input, used);
        free(connection->input);
        connection->input = NULL;
        connection->input_size = 0;
    }
    if (resumed) {
        state = answer(connection, buffer, used, &done);
        used -= done;
        memmove(buffer, buffer + done, used);
    }
    while (state == 0) {
        size_t room = INPUT_SIZE - used;
        ssize_t size = recv(connection->fd, buffer + used, room, 0);

        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0 && errno == EAGAIN)
            break;
        if (size <= 0)
            return -1;
        used += (size_t)size;
        state = answer(connection, buffer, used, &done);
        used -= done;
        if (done > 0 && used > 0)
            memmove(buffer, buffer + done, used);
        if ((size_t)size < room && !ended)
            break;
    }
    if (state < 0)
        return -1;
    return keep_input(connection, buffer, used);
}

static void accept_all(int listener, int epoll)
{
    for (;;) {
        struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET};
        struct connection *connection;
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd < 0) {
            if (errno == EINTR || errno == ECONNABORTED)
                continue;
            if (errno == EAGAIN)
                return;
            perror("epoll_http_server: accept4");
            if (errno != EMFILE && errno != ENFILE)
                exit(1);
            usleep(10000);
            return;
        }
        connection = calloc(1, sizeof *connection);
        if (connection == NULL)
            die("calloc");
        connection->fd = fd;
        event.data.ptr = connection;
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0)
            hang_up(connection);
    }
}

static void *run_loop(void *argument)
{
    int listener = (int)(intptr_t)argument;
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event events[EVENTS] = {{.events = EPOLLIN, .data.ptr = NULL}};
    char buffer[INPUT_SIZE];

    if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &events[0]) != 0)
        die("epoll");
    for (;;) {
        int count = epoll_wait(epoll, events, EVENTS, -1);

        if (count < 0 && errno != EINTR)
            die("epoll_wait");
        for (int i = 0; i < count; i++) {
            struct connection *connection = events[i].data.ptr;

            if (connection == NULL)
                accept_all(listener, epoll);
            else if (serve(connection, buffer, events[i].events) != 0)
                hang_up(connection);
        }
    }
    return NULL;
}

/* Opens a listener; *port becomes the port that it got. Accepted sockets inherit TCP_NODELAY. */
static int listen_on(int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)*port)};
    socklen_t length = sizeof address;
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one) != 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) != 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 65535) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) != 0)
        die("listen");
    *port = ntohs(address.sin_port);
    return fd;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"port", required_argument, NULL, 'p'},
                                            {"body", required_argument, NULL, 'b'},
                                            {"threads", required_argument, NULL, 't'},
                                            {NULL, 0, NULL, 0}};
    int listeners[MAX_THREADS];
    int port = 8000;
    int threads = 1;
    size_t body = 1024;
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'p') {
            port = atoi(optarg);
        } else if (option == 'b') {
            body = strtoul(optarg, NULL, 10);
        } else if (option == 't' && atoi(optarg) > 0 && atoi(optarg) <= MAX_THREADS) {
            threads = atoi(optarg);
        } else {
            fprintf(stderr, "usage: epoll_http_server [--port P] [--body N] [--threads N]\n");
            return 2;
        }
    }
    build_response(body);
    signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < threads; i++)
        listeners[i] = listen_on(&port);
    printf("listening on %d\n", port);
    fflush(stdout);
    for (int i = 1; i < threads; i++) {
        pthread_t thread;

        errno = pthread_create(&thread, NULL, run_loop, (void *)(intptr_t)listeners[i]);
        if (errno != 0)
            die("pthread_create");
    }
    run_loop((void *)(intptr_t)listeners[0]);
}
