// SPDX-License-Identifier: MIT
// Four threads share EPOLLONESHOT sockets: no socket is handled by two threads at a time, after an event
// it is silent until it is armed again by EPOLL_CTL_MOD, and no message is lost.
#include "io.h"
#include <sys/epoll.h>

enum { WORKERS = 4, SOCKETS = 8, MESSAGES = 100 };

static int epoll, in[SOCKETS], out[SOCKETS];
static atomic_int inside[SOCKETS], received[SOCKETS], total;

static void *worker(void *unused)
{
    for (;;) {
        struct epoll_event event;
        char byte;
        CHECK(epoll_wait(epoll, &event, 1, -1) == 1);
        int i = (int)event.data.u32;
        if (i == SOCKETS)
            return unused;
        CHECK(atomic_fetch_add(&inside[i], 1) == 0);
        CHECK(recv(in[i], &byte, 1, MSG_DONTWAIT) == 1);
        sched_yield();
        atomic_fetch_add(&received[i], 1);
        CHECK(atomic_fetch_sub(&inside[i], 1) == 1);
        event.events = EPOLLIN | EPOLLONESHOT;
        CHECK(epoll_ctl(epoll, EPOLL_CTL_MOD, in[i], &event) == 0);
        if (atomic_fetch_add(&total, 1) + 1 == SOCKETS * MESSAGES) {
            struct epoll_event stop = {.events = EPOLLOUT, .data.u32 = SOCKETS};
            CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, out[0], &stop) == 0);
        }
    }
}

int main(void)
{
    pthread_t thread[WORKERS];
    epoll = epoll_create1(0);
    for (int i = 0; i < SOCKETS; i++) {
        int fds[2];
        unix_pair(SOCK_STREAM, fds);
        in[i] = fds[0];
        out[i] = fds[1];
        struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.u32 = (uint32_t)i};
        CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, in[i], &event) == 0);
    }
    for (int i = 0; i < WORKERS; i++)
        thread[i] = guest_start(worker, NULL);
    for (int i = 0; i < MESSAGES * SOCKETS; i++)
        CHECK(write(out[i % SOCKETS], "x", 1) == 1);
    for (int i = 0; i < WORKERS; i++)
        guest_join(thread[i]);
    for (int i = 0; i < SOCKETS; i++)
        CHECK(received[i] == MESSAGES);
    printf("%d messages\n", total);
    return guest_success();
}
