// SPDX-License-Identifier: MIT
// pthread_cancel ends a thread blocked in read, recv, accept, poll, select, epoll_wait, write, connect or
// open of a FIFO; its clean-up handler runs, and what comes later is there for others.
#include "io.h"
#include <sys/epoll.h>
#include <sys/select.h>

static int empty[2], stream[2], full[2], listener, epoll;
static struct sockaddr_un address;
static socklen_t length;
static int cleaned;

static void clean_up(void *unused)
{
    (void)unused;
    cleaned++;
}

static void call(int which)
{
    char byte;
    fd_set set;
    struct pollfd waiting = {.fd = empty[0], .events = POLLIN};
    switch (which) {
    case 0:
        CHECK(read(empty[0], &byte, 1) == 99);
        break;
    case 1:
        CHECK(recv(stream[0], &byte, 1, 0) == 99);
        break;
    case 2:
        CHECK(accept(listener, NULL, NULL) == 99);
        break;
    case 3:
        CHECK(poll(&waiting, 1, -1) == 99);
        break;
    case 4:
        FD_ZERO(&set);
        FD_SET(empty[0], &set);
        CHECK(select(empty[0] + 1, &set, NULL, NULL, NULL) == 99);
        break;
    case 5:
        CHECK(epoll_wait(epoll, &(struct epoll_event){0}, 1, -1) == 99);
        break;
    case 6:
        CHECK(write(full[1], "x", 1) == 99);
        break;
    case 7:
        CHECK(connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&address, length) == 99);
        break;
    case 8:
        CHECK(open("fifo", O_RDONLY) == 99);
        break;
    }
}

static void *caller(void *argument)
{
    pthread_cleanup_push(clean_up, NULL);
    blocks_next();
    call((int)(intptr_t)argument);
    pthread_cleanup_pop(0);
    return NULL;
}

int main(void)
{
    struct sockaddr_in unused;
    char byte;
    CHECK(pipe(empty) == 0 && pipe(full) == 0 && mkfifo("fifo", 0600) == 0);
    unix_pair(SOCK_STREAM, stream);
    fill_up(full[1]);
    listener = tcp_listen(1, &unused);
    unix_listen(SOCK_STREAM, 0, &address, &length);
    CHECK(connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&address, length) == 0);
    epoll = epoll_create1(0);
    for (int i = 0; i < 9; i++) {
        pthread_t thread = guest_start(caller, (void *)(intptr_t)i);
        wait_blocked(i + 1);
        CHECK(pthread_cancel(thread) == 0);
        CHECK(guest_join(thread) == PTHREAD_CANCELED);
        CHECK(cleaned == i + 1);
    }
    CHECK(write(empty[1], "x", 1) == 1 && read(empty[0], &byte, 1) == 1);
    CHECK(unlink("fifo") == 0);
    printf("%d cancelled\n", cleaned);
    return guest_success();
}
