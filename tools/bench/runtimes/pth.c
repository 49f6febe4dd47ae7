// SPDX-License-Identifier: MIT
/* The server on GNU Pth: a thread of the library for each connection. It waits in select: 1,024 descriptors.
 */
#include "served.h"

#include <pth.h>
#include <stdint.h>
#include <unistd.h>

static bool write_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t written = pth_write(fd, data, size);

        if (written < 0)
            return false;
        data += written;
        size -= (size_t)written;
    }
    return true;
}

static void *serve(void *argument)
{
    int fd = (int)(intptr_t)argument;
    char input[INPUT_SIZE];
    size_t used = 0;

    for (;;) {
        ssize_t size = pth_read(fd, input + used, sizeof input - used);
        size_t done = 0;
        size_t answered;
        struct reply reply;

        if (size <= 0)
            break;
        used += (size_t)size;
        while ((answered = next_reply(input + done, used - done, &reply)) > 0) {
            if (!write_all(fd, reply.data, reply.size) || reply.last)
                goto out;
            done += answered;
        }
        used -= done;
        memmove(input, input + done, used);
    }
out:
    close(fd);
    return NULL;
}

int main(int argc, char **argv)
{
    int listener = open_listener(argc, argv, 0);
    pth_attr_t attributes;

    pth_init();
    attributes = pth_attr_new();
    pth_attr_set(attributes, PTH_ATTR_JOINABLE, FALSE);
    for (;;) {
        int fd = pth_accept(listener, NULL, NULL);

        if (fd < 0 || pth_spawn(attributes, serve, (void *)(intptr_t)fd) == NULL) {
            perror("pth: accept");
            return 1;
        }
    }
}
