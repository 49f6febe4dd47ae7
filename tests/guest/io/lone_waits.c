// SPDX-License-Identifier: MIT
// A thread that exchanges bytes with another process, and is the only one that has anything to do for some
// time, is woken by what wakes it, and keeps nobody from anything while it waits: others go on by a deadline
// or a descriptor, a signal and a cancellation reach it, a time-out ends its wait, and a shutdown by another
// thread does.
#include "guest.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum { ROUNDS = 150 };

static int line[2];    // to the peer, who sends back what it gets
static int signs[2];   // from the peer: it was asked to answer late
static int permits[2]; // to the peer: now it may
static int events;     // an epoll descriptor with line[0]
static int interrupts; // handlers run
static volatile int interrupted;

// Another process. 'e' is sent back at once, 'l' after a permit, 's' never.
static void peer(void)
{
    char byte;
    while (read(line[1], &byte, 1) == 1) {
        if (byte == 's')
            continue;
        if (byte == 'l') {
            CHECK_EQUAL(write(signs[1], "s", 1), 1);
            CHECK_EQUAL(read(permits[0], &byte, 1), 1);
        }
        CHECK_EQUAL(write(line[1], &byte, 1), 1);
    }
    _exit(0);
}

static void no_wait(void) {}

static void in_poll(void)
{
    struct pollfd poll_line = {line[0], POLLIN, 0};
    CHECK_EQUAL(poll(&poll_line, 1, -1), 1);
    CHECK_EQUAL(poll_line.revents, POLLIN);
}

static void in_poll_with_timeout(void)
{
    struct pollfd poll_line = {line[0], POLLIN, 0};
    CHECK_EQUAL(poll(&poll_line, 1, 60000), 1);
}

static void in_select(void)
{
    fd_set set;
    FD_ZERO(&set);
    FD_SET(line[0], &set);
    CHECK_EQUAL(select(line[0] + 1, &set, NULL, NULL, NULL), 1);
    CHECK(FD_ISSET(line[0], &set));
}

static void in_epoll(void)
{
    struct epoll_event event;
    CHECK_EQUAL(epoll_wait(events, &event, 1, -1), 1);
    CHECK_EQUAL(event.data.fd, line[0]);
}

static void (*const waits[])(void) = {no_wait, in_poll, in_poll_with_timeout, in_select, in_epoll};

static void exchange(char byte, void (*wait_first)(void))
{
    char answer;
    CHECK_EQUAL(write(line[0], &byte, 1), 1);
    wait_first();
    CHECK_EQUAL(read(line[0], &answer, 1), 1);
}

static void be_alone(void (*wait_first)(void))
{
    for (int i = 0; i < ROUNDS; i++)
        exchange('e', wait_first);
}

static void *wait_late(void *wait_first)
{
    for (int i = 0; i < 3; i++) {
        be_alone((void (*)(void))wait_first);
        exchange('l', (void (*)(void))wait_first);
    }
    return NULL;
}

// By a descriptor and by a deadline.
static void permit_one(void)
{
    char byte;
    CHECK_EQUAL(read(signs[0], &byte, 1), 1);
    CHECK_EQUAL(usleep(5000), 0);
    CHECK_EQUAL(write(permits[1], "l", 1), 1);
}

static void others_go_on(void)
{
    for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
        pthread_t alone = guest_start(wait_late, (void *)waits[i]);
        for (int round = 0; round < 3; round++)
            permit_one();
        guest_join(alone);
    }
}

static void on_signal(int number)
{
    (void)number;
    __atomic_add_fetch(&interrupts, 1, __ATOMIC_SEQ_CST);
}

static void set_handler(int flags)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = flags};
    CHECK_EQUAL(sigaction(SIGUSR1, &action, NULL), 0);
}

static void *be_interrupted(void *restarts)
{
    char answer;
    be_alone(no_wait);
    CHECK_EQUAL(write(line[0], "l", 1), 1);
    if (!restarts) {
        CHECK_EQUAL(read(line[0], &answer, 1), -1);
        CHECK_EQUAL(errno, EINTR);
        __atomic_store_n(&interrupted, 1, __ATOMIC_SEQ_CST);
    }
    ssize_t result;
    do // one signal more may have been under way
        result = read(line[0], &answer, 1);
    while (!restarts && result < 0 && errno == EINTR);
    CHECK_EQUAL(result, 1);
    return NULL;
}

static void signals_arrive(void)
{
    char byte;
    for (intptr_t restarts = 0; restarts < 2; restarts++) {
        interrupts = 0;
        set_handler(restarts ? SA_RESTART : 0);
        pthread_t alone = guest_start(be_interrupted, (void *)restarts);
        CHECK_EQUAL(read(signs[0], &byte, 1), 1);
        usleep(5000); // mostly it waits by now; else the signal comes before, and is sent again
        do
            CHECK_EQUAL(pthread_kill(alone, SIGUSR1), 0);
        while (!restarts && usleep(20000) == 0 && !interrupted);
        CHECK_EQUAL(write(permits[1], "l", 1), 1);
        guest_join(alone);
        CHECK(interrupts >= 1);
    }
}

static void *time_out(void *unused)
{
    struct pollfd poll_line = {line[0], POLLIN, 0};
    struct timeval time = {0, 20000}, none = {0, 0};
    char answer;
    be_alone(in_poll_with_timeout);
    int64_t begin = guest_now(CLOCK_MONOTONIC);
    CHECK_EQUAL(poll(&poll_line, 1, 20), 0);
    CHECK(guest_now(CLOCK_MONOTONIC) - begin >= 20 * GUEST_MILLISECOND);
    CHECK_EQUAL(setsockopt(line[0], SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time), 0);
    be_alone(no_wait);
    begin = guest_now(CLOCK_MONOTONIC);
    CHECK_EQUAL(read(line[0], &answer, 1), -1);
    CHECK_EQUAL(errno, EAGAIN);
    CHECK(guest_now(CLOCK_MONOTONIC) - begin >= 19 * GUEST_MILLISECOND);
    CHECK_EQUAL(setsockopt(line[0], SOL_SOCKET, SO_RCVTIMEO, &none, sizeof none), 0);
    return unused;
}

static void *wait_for_ever(void *end)
{
    char answer;
    be_alone(no_wait);
    CHECK_EQUAL(write(line[0], "s", 1), 1);
    CHECK_EQUAL(write(*(int *)end, "w", 1), 1);
    return (void *)(intptr_t)read(line[0], &answer, 1);
}

static void ends_reach_it(void)
{
    int ready[2];
    char byte;
    CHECK_EQUAL(pipe(ready), 0);
    pthread_t alone = guest_start(wait_for_ever, &ready[1]);
    CHECK_EQUAL(read(ready[0], &byte, 1), 1);
    usleep(5000);
    CHECK_EQUAL(pthread_cancel(alone), 0);
    CHECK(guest_join(alone) == PTHREAD_CANCELED);
    alone = guest_start(wait_for_ever, &ready[1]);
    CHECK_EQUAL(read(ready[0], &byte, 1), 1);
    usleep(5000);
    CHECK_EQUAL(shutdown(line[0], SHUT_RDWR), 0);
    CHECK_EQUAL((intptr_t)guest_join(alone), 0);
}

int main(void)
{
    CHECK_EQUAL(socketpair(AF_UNIX, SOCK_STREAM, 0, line), 0);
    CHECK_EQUAL(pipe(signs), 0);
    CHECK_EQUAL(pipe(permits), 0);
    pid_t other = fork();
    CHECK(other >= 0);
    if (other == 0) {
        close(line[0]);
        peer();
    }
    close(line[1]);
    events = epoll_create1(0);
    CHECK(events >= 0);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = line[0]};
    CHECK_EQUAL(epoll_ctl(events, EPOLL_CTL_ADD, line[0], &event), 0);

    others_go_on();
    signals_arrive();
    guest_join(guest_start(time_out, NULL));
    ends_reach_it();
    CHECK_EQUAL(waitpid(other, NULL, 0), other);
    return guest_success();
}
