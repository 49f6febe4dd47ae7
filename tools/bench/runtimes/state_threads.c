// SPDX-License-Identifier: MIT
/*
 * The server on State Threads: a thread of the library for each connection. It asks for epoll; a library that
 * was built without it, as Debian's 1.9-3.2, takes select (1,024 descriptors) and says nothing.
 */
#include "served.h"

#include <st.h>

static void *serve(void *argument)
{
    st_netfd_t connection = argument;
    char input[INPUT_SIZE];
    size_t used = 0;

    for (;;) {
        ssize_t size = st_read(connection, input + used, sizeof input - used, ST_UTIME_NO_TIMEOUT);
        size_t done = 0;
        size_t answered;
        struct reply reply;

        if (size <= 0)
            break;
        used += (size_t)size;
        while ((answered = next_reply(input + done, used - done, &reply)) > 0) {
            if (st_write(connection, reply.data, reply.size, ST_UTIME_NO_TIMEOUT) != (ssize_t)reply.size ||
                reply.last)
                goto out;
            done += answered;
        }
        used -= done;
        memmove(input, input + done, used);
    }
out:
    st_netfd_close(connection);
    return NULL;
}

int main(int argc, char **argv)
{
    int fd = open_listener(argc, argv, 0);
    st_netfd_t listener;

    if (st_set_eventsys(ST_EVENTSYS_ALT) != 0 || st_init() != 0 ||
        (listener = st_netfd_open_socket(fd)) == NULL) {
        perror("state_threads");
        return 1;
    }
    for (;;) {
        st_netfd_t connection = st_accept(listener, NULL, NULL, ST_UTIME_NO_TIMEOUT);

        if (connection == NULL || st_thread_create(serve, connection, 0, 0) == NULL) {
            perror("state_threads: accept");
            return 1;
        }
    }
}
