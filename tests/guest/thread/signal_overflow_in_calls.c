// SPDX-License-Identifier: MIT
// Claims: a thread that overflows its stack with system calls in every frame handles SIGSEGV on its alternate
// stack, whichever call has met the end of the stack, and makes such calls afterwards.
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/select.h>
#include "stack_end.h"

enum { ALTERNATE = 64 << 10, ROUNDS = 3 };

static __thread sigjmp_buf place;
static int ends[2];

static void handle(int number)
{
    (void)number;
    siglongjmp(place, 1);
}

static void by_read(void)
{
    char byte;
    CHECK_EQUAL(read(ends[0], &byte, 1), -1);
}

static void by_poll(void)
{
    struct pollfd one = {.fd = ends[0], .events = POLLIN};
    CHECK_EQUAL(poll(&one, 1, 0), 0);
}

static void by_select(void)
{
    struct timeval none = {0, 0};
    fd_set set;
    FD_ZERO(&set);
    FD_SET(ends[0], &set);
    CHECK_EQUAL(select(ends[0] + 1, &set, NULL, NULL, &none), 0);
}

static void by_yield(void)
{
    CHECK_EQUAL(sched_yield(), 0);
}

static void by_sleep(void)
{
    const struct timespec least = {0, 1};
    CHECK_EQUAL(nanosleep(&least, NULL), 0);
}

static void by_mask(void)
{
    sigset_t set;
    sigemptyset(&set);
    CHECK_EQUAL(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
}

static void (*const calls[])(void) = {by_read, by_poll, by_select, by_yield, by_sleep, by_mask};
enum { CALLS = sizeof calls / sizeof calls[0] };

static void *body(void *index)
{
    stack_t stack = {.ss_size = ALTERNATE, .ss_sp = malloc(ALTERNATE)};
    CHECK_EQUAL(sigaltstack(&stack, NULL), 0);
    for (volatile int i = 0; i < ROUNDS; i++) {
        if (sigsetjmp(place, 1) == 0)
            stack_overflow(calls[(intptr_t)index], 0);
        calls[(intptr_t)index]();
    }
    return (void *)1;
}

int main(void)
{
    const struct sigaction action = {.sa_handler = handle, .sa_flags = SA_ONSTACK};
    pthread_attr_t attributes;
    pthread_t threads[CALLS];
    CHECK_EQUAL(sigaction(SIGSEGV, &action, NULL), 0);
    CHECK_EQUAL(pipe2(ends, O_NONBLOCK), 0);
    CHECK_EQUAL(pthread_attr_init(&attributes), 0);
    CHECK_EQUAL(pthread_attr_setstacksize(&attributes, 64 << 10), 0);
    for (intptr_t i = 0; i < CALLS; i++)
        CHECK_EQUAL(pthread_create(&threads[i], &attributes, body, (void *)i), 0);
    for (int i = 0; i < CALLS; i++)
        CHECK_EQUAL((intptr_t)guest_join(threads[i]), 1);
    return guest_success();
}
