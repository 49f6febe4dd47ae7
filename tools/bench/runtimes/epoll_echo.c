// SPDX-License-Identifier: MIT
/* The echo written by hand on epoll, edge-triggered. (demo/epoll_http_server.c is its HTTP server.) */
#include "served.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { EVENTS = 512 };

struct connection {
    int fd;
    size_t begin, end; /* of what the socket did not take yet */
    char data[INPUT_SIZE];
};

/* Goes on as far as it can; returns false when the connection has to end. */
static bool serve(struct connection *connection, bool ended)
{
    for (;;) {
        ssize_t size;

        while (connection->begin < connection->end) {
            size = send(connection->fd, connection->data + connection->begin,
                        connection->end - connection->begin, 0);
            if (size < 0)
                return errno == EAGAIN;
            connection->begin += (size_t)size;
        }
        /* A short recv has drained the socket: what comes later makes a new edge. */
        if (connection->end > 0 && connection->end < INPUT_SIZE && !ended) {
            connection->begin = connection->end = 0;
            return true;
        }
        size = recv(connection->fd, connection->data, INPUT_SIZE, 0);
        if (size <= 0) {
            connection->begin = connection->end = 0;
            return size < 0 && errno == EAGAIN;
        }
        connection->begin = 0;
        connection->end = (size_t)size;
    }
}

static void accept_all(int listener, int epoll)
{
    int fd;

    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        struct connection *connection = calloc(1, sizeof *connection);
        struct epoll_event event = {EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, {connection}};

        if (connection == NULL || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0)
            abort();
        connection->fd = fd;
    }
}

int main(int argc, char **argv)
{
    struct epoll_event events[EVENTS] = {{.events = EPOLLIN}};
    int listener = open_listener(argc, argv, SOCK_NONBLOCK);
    int epoll = epoll_create1(0);

    if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &events[0]) != 0)
        abort();
    for (;;) {
        int count = epoll_wait(epoll, events, EVENTS, -1);

        for (int i = 0; i < count; i++) {
            struct connection *connection = events[i].data.ptr;

            if (connection == NULL) {
                accept_all(listener, epoll);
            } else if (!serve(connection, events[i].events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))) {
                close(connection->fd);
                free(connection);
            }
        }
    }
}
