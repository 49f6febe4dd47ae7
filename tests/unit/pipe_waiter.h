/* SPDX-License-Identifier: MIT */
/* What the tests of waiting for descriptors share: a pipe, and coroutines that wait for it. */
#ifndef WEFT_UNIT_PIPE_WAITER_H
#define WEFT_UNIT_PIPE_WAITER_H

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "machine.h"

static int ends[2]; /* a pipe: reading, writing */

static inline int make_pipe(void **state)
{
    (void)state;
    return pipe2(ends, O_NONBLOCK);
}

static inline int close_pipe(void **state)
{
    for (int i = 0; i < 2; i++)
        if (ends[i] >= 0) {
            weft_wait_leave_number(ends[i]);
            close(ends[i]);
        }
    return machine_teardown(state);
}

struct waiter {
    struct task task;
    struct weft_watcher watchers[2];
    unsigned count;
    int64_t deadline;
    long result;
    uint32_t waits, done;
};

static inline void wait_for_watchers(void *argument)
{
    struct waiter *waiter = argument;
    waiter->waits = 1;
    waiter->result = weft_wait_watchers(waiter->watchers, waiter->count, WEFT_REASON_POLL, waiter->deadline);
    waiter->done = 1;
}

/* A waiter that is parked when this returns. */
static inline void start_waiter(struct waiter *waiter, int fd, int events, bool shared, int64_t deadline)
{
    *waiter = (struct waiter){.count = 1, .deadline = deadline, .result = 99};
    waiter->watchers[0] = (struct weft_watcher){.fd = fd, .events = events, .shared = shared};
    task_start(&waiter->task, wait_for_watchers, waiter);
    while (!waiter->waits)
        weft_yield(weft_current);
}

static inline long wait_here(int fd, int events, int64_t deadline)
{
    struct weft_watcher watcher = {.fd = fd, .events = events};
    return weft_wait_watchers(&watcher, 1, WEFT_REASON_READ, deadline);
}

static inline void join(struct waiter *waiter, long result)
{
    task_join(&waiter->task);
    assert_int_equal(waiter->result, result);
}

static inline void fill_pipe(void)
{
    char page[4096] = {0};
    while (write(ends[1], page, sizeof page) > 0)
        ;
    assert_int_equal(errno, EAGAIN);
}

static inline void drain_pipe(void)
{
    char page[4096];
    while (read(ends[0], page, sizeof page) > 0)
        ;
}

static inline int64_t soon(void)
{
    return weft_now() + 10000000;
}

/* Reads one byte as hooks do: tries, and waits again when another one was faster. */
struct consumer {
    struct task task;
    uint32_t waits;
    int wakes;
    char got;
};

static inline void consume(void *argument)
{
    struct consumer *consumer = argument;
    consumer->waits = 1;
    while (weft_raw3(SYS_read, ends[0], (long)&consumer->got, 1) != 1) {
        require(wait_here(ends[0], WEFT_READABLE, WEFT_NEVER) == 0);
        consumer->wakes++;
    }
}

#define piped(function) cmocka_unit_test_setup_teardown(function, make_pipe, close_pipe)

#endif
