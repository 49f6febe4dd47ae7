// SPDX-License-Identifier: MIT
// Negative descriptors are ignored and their revents cleared; one descriptor may stand several times with
// different events, each is counted; a bad number makes poll return at once; a regular file is always
// ready.
#include "io.h"

static int fds[2];

static void *poller(void *unused)
{
    struct pollfd set[] = {{.fd = -1, .events = POLLIN, .revents = 99},
                           {.fd = fds[0], .events = POLLIN, .revents = 99},
                           {.fd = fds[0], .events = POLLIN | POLLOUT},
                           {.fd = fds[0], .events = POLLPRI, .revents = 99},
                           {.fd = -1000, .events = POLLIN, .revents = 99}};
    char byte;
    blocks_next();
    CHECK(poll(set, 5, -1) == 2);
    for (int i = 0; i < 5; i++)
        printf("%#x ", set[i].revents);
    putchar('\n');
    CHECK(read(fds[0], &byte, 1) == 1);

    set[0].fd = 12345;
    CHECK(poll(set, 5, -1) == 1 && set[0].revents == POLLNVAL && set[1].revents == 0);

    int file = open("file", O_RDWR | O_CREAT, 0600), directory = open(".", O_RDONLY | O_DIRECTORY);
    int null = open("/dev/null", O_RDWR);
    CHECK(file >= 0 && directory >= 0 && null >= 0 && unlink("file") == 0);
    int always[] = {file, directory, null};
    for (int i = 0; i < 3; i++) {
        set[0] = (struct pollfd){.fd = always[i], .events = POLLIN | POLLOUT};
        CHECK(poll(set, 5, -1) == 1);
        printf("always: %#x\n", set[0].revents);
    }
    set[0].fd = -1;
    CHECK(poll(set, 5, 10) == 0);
    CHECK(poll(set, 1, 10) == 0);
    return unused;
}

int main(void)
{
    CHECK(pipe(fds) == 0);
    pthread_t thread = guest_start(poller, NULL);
    wait_blocked(1);
    CHECK(write(fds[1], "x", 1) == 1);
    guest_join(thread);
    return guest_success();
}
