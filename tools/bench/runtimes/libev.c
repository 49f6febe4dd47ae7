// SPDX-License-Identifier: MIT
/* The server as callbacks on libev: a watcher for each connection, stopped only while the peer does not read.
 */
#include "served.h"

#include <errno.h>
#include <ev.h>
#include <unistd.h>

struct connection {
    ev_io watcher;
    struct reply reply; /* what the socket did not take yet; of `answered` bytes of input */
    size_t answered;
    size_t used;
    char input[INPUT_SIZE];
};

static void hang_up(struct ev_loop *loop, struct connection *connection)
{
    ev_io_stop(loop, &connection->watcher);
    close(connection->watcher.fd);
    free(connection);
}

/* Answers what has come; returns false when the connection has to end. */
static bool answer(struct ev_loop *loop, struct connection *connection)
{
    size_t done = 0;
    int wanted = EV_READ;

    for (;;) {
        ssize_t sent;

        if (connection->answered == 0)
            connection->answered =
                next_reply(connection->input + done, connection->used - done, &connection->reply);
        if (connection->answered == 0)
            break;
        sent = send(connection->watcher.fd, connection->reply.data, connection->reply.size, 0);
        if (sent < 0 && errno != EAGAIN)
            return false;
        connection->reply.data += sent > 0 ? sent : 0;
        connection->reply.size -= sent > 0 ? (size_t)sent : 0;
        if (connection->reply.size > 0) {
            wanted = EV_WRITE;
            break;
        }
        if (connection->reply.last)
            return false;
        done += connection->answered;
        connection->answered = 0;
    }
    /* An echo in the midst of its output points into the input; it is the first of it, and done is 0 then. */
    if (done > 0) {
        connection->used -= done;
        memmove(connection->input, connection->input + done, connection->used);
    }
    if ((connection->watcher.events & (EV_READ | EV_WRITE)) != wanted) {
        ev_io_stop(loop, &connection->watcher);
        ev_io_set(&connection->watcher, connection->watcher.fd, wanted);
        ev_io_start(loop, &connection->watcher);
    }
    return true;
}

static void serve(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct connection *connection = (struct connection *)watcher;

    if (events & EV_READ) {
        ssize_t size =
            recv(watcher->fd, connection->input + connection->used, INPUT_SIZE - connection->used, 0);

        if (size < 0 && errno == EAGAIN)
            return;
        if (size <= 0) {
            hang_up(loop, connection);
            return;
        }
        connection->used += (size_t)size;
    }
    if (!answer(loop, connection))
        hang_up(loop, connection);
}

static void accept_all(struct ev_loop *loop, ev_io *watcher, int events)
{
    int fd;

    (void)events;
    while ((fd = accept4(watcher->fd, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        struct connection *connection = calloc(1, sizeof *connection);

        if (connection == NULL)
            abort();
        ev_io_init(&connection->watcher, serve, fd, EV_READ);
        ev_io_start(loop, &connection->watcher);
    }
}

int main(int argc, char **argv)
{
    struct ev_loop *loop = ev_default_loop(EVFLAG_AUTO);
    ev_io listener;

    ev_io_init(&listener, accept_all, open_listener(argc, argv, SOCK_NONBLOCK), EV_READ);
    ev_io_start(loop, &listener);
    ev_run(loop, 0);
}
