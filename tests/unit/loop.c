/* SPDX-License-Identifier: MIT */
/* Waiting for descriptors: hooks/wait.h over core/loop.h. */
#include "machine.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

static int ends[2]; /* a pipe: reading, writing */

static int make_pipe(void **state)
{
    (void)state;
    return pipe2(ends, O_NONBLOCK);
}

static int close_pipe(void **state)
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

static void wait_for_watchers(void *argument)
{
    struct waiter *waiter = argument;
    waiter->waits = 1;
    waiter->result = weft_wait_watchers(waiter->watchers, waiter->count, WEFT_REASON_POLL, waiter->deadline);
    waiter->done = 1;
}

/* A waiter that is parked when this returns. */
static void start_waiter(struct waiter *waiter, int fd, int events, bool shared, int64_t deadline)
{
    *waiter = (struct waiter){.count = 1, .deadline = deadline, .result = 99};
    waiter->watchers[0] = (struct weft_watcher){.fd = fd, .events = events, .shared = shared};
    task_start(&waiter->task, wait_for_watchers, waiter);
    while (!waiter->waits)
        weft_yield(weft_current);
}

static long wait_here(int fd, int events, int64_t deadline)
{
    struct weft_watcher watcher = {.fd = fd, .events = events};
    return weft_wait_watchers(&watcher, 1, WEFT_REASON_READ, deadline);
}

static void join(struct waiter *waiter, long result)
{
    task_join(&waiter->task);
    assert_int_equal(waiter->result, result);
}

static void fill_pipe(void)
{
    char page[4096] = {0};
    while (write(ends[1], page, sizeof page) > 0)
        ;
    assert_int_equal(errno, EAGAIN);
}

static void drain_pipe(void)
{
    char page[4096];
    while (read(ends[0], page, sizeof page) > 0)
        ;
}

static int64_t soon(void)
{
    return weft_now() + 10000000;
}

static void test_what_is_ready_returns_at_once(void **state)
{
    (void)state;
    assert_int_equal(wait_here(ends[1], WEFT_WRITABLE, WEFT_NEVER), 0);
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_int_equal(wait_here(ends[0], WEFT_READABLE, WEFT_NEVER), 0);
}

static void test_a_reader_waits_for_a_writer(void **state)
{
    struct waiter waiter;
    (void)state;
    start_waiter(&waiter, ends[0], WEFT_READABLE, false, WEFT_NEVER);
    task_sleep(2000000);
    assert_int_equal(waiter.result, 99);
    assert_int_equal(write(ends[1], "x", 1), 1);
    join(&waiter, 0);
}

static void test_a_writer_waits_for_a_reader(void **state)
{
    struct waiter waiter;
    (void)state;
    fill_pipe();
    start_waiter(&waiter, ends[1], WEFT_WRITABLE, false, WEFT_NEVER);
    task_sleep(2000000);
    assert_int_equal(waiter.result, 99);
    drain_pipe();
    join(&waiter, 0);
}

static void test_a_hangup_is_readiness(void **state)
{
    struct waiter waiter;
    (void)state;
    start_waiter(&waiter, ends[0], WEFT_READABLE, false, WEFT_NEVER);
    close(ends[1]);
    ends[1] = -1;
    join(&waiter, 0);
}

static void test_a_deadline_ends_a_wait(void **state)
{
    int64_t deadline = soon();
    (void)state;
    assert_int_equal(wait_here(ends[0], WEFT_READABLE, deadline), -ETIMEDOUT);
    assert_true(weft_now() >= deadline);
    assert_true(weft_now() < deadline + INT64_C(1000000000));
    /* The next wait, on the same started ev_io, sees what comes later. */
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_int_equal(wait_here(ends[0], WEFT_READABLE, WEFT_NEVER), 0);
}

static void test_readiness_is_seen_again_and_again(void **state)
{
    (void)state;
    for (int i = 0; i < 200; i++) {
        char byte;
        struct waiter waiter;
        start_waiter(&waiter, ends[0], WEFT_READABLE, false, WEFT_NEVER);
        assert_int_equal(waiter.result, 99);
        assert_int_equal(write(ends[1], "x", 1), 1);
        join(&waiter, 0);
        assert_int_equal(read(ends[0], &byte, 1), 1);
    }
}

/* Reads one byte as hooks do: tries, and waits again when another one was faster. */
struct consumer {
    struct task task;
    uint32_t waits;
    int wakes;
    char got;
};

static void consume(void *argument)
{
    struct consumer *consumer = argument;
    consumer->waits = 1;
    while (weft_raw3(SYS_read, ends[0], (long)&consumer->got, 1) != 1) {
        require(wait_here(ends[0], WEFT_READABLE, WEFT_NEVER) == 0);
        consumer->wakes++;
    }
}

static void test_consumers_are_woken_one_per_readiness(void **state)
{
    struct consumer consumers[2] = {{.got = 0}, {.got = 0}};
    (void)state;
    for (int i = 0; i < 2; i++) {
        task_start(&consumers[i].task, consume, &consumers[i]);
        while (!consumers[i].waits)
            weft_yield(weft_current);
    }
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_true(task_yield_until(&consumers[0].task.ended, 1));
    task_sleep(3000000);
    assert_int_equal(consumers[0].got, 'x'); /* the one who came first */
    assert_int_equal(consumers[0].wakes, 1);
    assert_int_equal(consumers[1].wakes, 0); /* not even woken in vain */
    assert_int_equal(write(ends[1], "y", 1), 1);
    for (int i = 0; i < 2; i++)
        task_join(&consumers[i].task);
    assert_int_equal(consumers[1].got, 'y');
    assert_int_equal(consumers[1].wakes, 1);
}

static void test_what_one_consumer_leaves_wakes_the_next(void **state)
{
    struct consumer consumers[2] = {{.got = 0}, {.got = 0}};
    (void)state;
    for (int i = 0; i < 2; i++) {
        task_start(&consumers[i].task, consume, &consumers[i]);
        while (!consumers[i].waits)
            weft_yield(weft_current);
    }
    assert_int_equal(write(ends[1], "xy", 2), 2);
    for (int i = 0; i < 2; i++)
        task_join(&consumers[i].task);
    assert_int_equal(consumers[0].got, 'x');
    assert_int_equal(consumers[1].got, 'y');
}

static void test_observers_are_all_woken(void **state)
{
    struct waiter observers[3], consumers[2];
    (void)state;
    start_waiter(&observers[0], ends[0], WEFT_READABLE, true, WEFT_NEVER);
    start_waiter(&consumers[0], ends[0], WEFT_READABLE, false, WEFT_NEVER);
    start_waiter(&observers[1], ends[0], WEFT_READABLE, true, WEFT_NEVER);
    start_waiter(&consumers[1], ends[0], WEFT_READABLE, false, soon());
    start_waiter(&observers[2], ends[0], WEFT_READABLE, true, WEFT_NEVER);
    assert_int_equal(weft_loop_consumers(weft_processors[0].loop, ends[0]), 2);
    assert_int_equal(weft_loop_watching(weft_processors[0].loop), 5);
    assert_int_equal(write(ends[1], "x", 1), 1);
    for (int i = 0; i < 3; i++)
        join(&observers[i], 0);
    join(&consumers[0], 0);
    join(&consumers[1], 0); /* level-triggered: what nobody has read wakes it too */
}

static void test_one_of_two_descriptors_is_enough(void **state)
{
    int sockets[2];
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
    for (int which = 0; which < 2; which++) {
        struct waiter waiter = {.count = 2, .deadline = WEFT_NEVER, .result = 99};
        waiter.watchers[0] = (struct weft_watcher){.fd = ends[0], .events = WEFT_READABLE, .shared = true};
        waiter.watchers[1] = (struct weft_watcher){.fd = sockets[0], .events = WEFT_READABLE, .shared = true};
        task_start(&waiter.task, wait_for_watchers, &waiter);
        task_sleep(1000000);
        assert_int_equal(waiter.result, 99);
        assert_int_equal(write(which ? sockets[1] : ends[1], "x", 1), 1);
        join(&waiter, 0);
        drain_pipe();
        assert_int_equal(weft_loop_watching(weft_processors[0].loop), 0); /* it is out of both lists */
    }
    for (int i = 0; i < 2; i++) {
        weft_wait_leave_number(sockets[i]);
        close(sockets[i]);
    }
}

static void test_one_descriptor_may_be_watched_twice_by_one_waiter(void **state)
{
    struct waiter waiter = {.count = 2, .deadline = WEFT_NEVER, .result = 99}, other;
    (void)state;
    waiter.watchers[0] = (struct weft_watcher){.fd = ends[0], .events = WEFT_READABLE, .shared = true};
    waiter.watchers[1] = waiter.watchers[0];
    task_start(&waiter.task, wait_for_watchers, &waiter);
    start_waiter(&other, ends[0], WEFT_READABLE, true, WEFT_NEVER);
    assert_int_equal(write(ends[1], "x", 1), 1);
    join(&waiter, 0);
    join(&other, 0);
}

static void test_both_directions_of_a_socket(void **state)
{
    int sockets[2];
    struct waiter both, reader;
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
    start_waiter(&reader, sockets[0], WEFT_READABLE, false, WEFT_NEVER);
    start_waiter(&both, sockets[0], WEFT_READABLE | WEFT_WRITABLE, true, WEFT_NEVER);
    join(&both, 0); /* writable */
    assert_int_equal(reader.result, 99);
    assert_int_equal(write(sockets[1], "x", 1), 1);
    join(&reader, 0);
    for (int i = 0; i < 2; i++) {
        weft_wait_leave_number(sockets[i]);
        close(sockets[i]);
    }
}

static void test_leaving_a_number_wakes_observers_with_ebadf(void **state)
{
    struct waiter observer;
    (void)state;
    start_waiter(&observer, ends[0], WEFT_READABLE, true, WEFT_NEVER);
    weft_wait_leave_number(ends[0]);
    join(&observer, -EBADF);
}

static void read_target(void *argument)
{
    struct consumer *consumer = argument;
    struct weft_target target = weft_target_of(ends[0]);
    consumer->waits = 1;
    require(weft_wait_target(&target, WEFT_READABLE, WEFT_REASON_READ, WEFT_NEVER) == 0);
    require(target.fd != target.original && weft_loop_owns(target.fd));
    require(weft_raw3(SYS_read, target.fd, (long)&consumer->got, 1) == 1);
    require(weft_target_done(&target, 7) == 7);
    require(!weft_loop_owns(target.fd) && weft_raw2(SYS_fcntl, target.fd, F_GETFD) == -EBADF);
}

/* An observer beside it does not: it may watch many numbers, of which this one is no more. */
static void test_a_consumer_goes_on_with_the_description_of_a_closed_number(void **state)
{
    struct consumer consumer = {.got = 0};
    struct waiter observer;
    int fd = ends[0];
    (void)state;
    task_start(&consumer.task, read_target, &consumer);
    while (!consumer.waits)
        weft_yield(weft_current);
    start_waiter(&observer, fd, WEFT_READABLE, true, weft_now() + 1000000000);
    weft_wait_leave_number(fd);
    join(&observer, -EBADF);
    close(fd);
    int again = open("/dev/null", O_RDONLY); /* takes the number */
    assert_int_equal(again, fd);
    assert_int_equal(write(ends[1], "z", 1), 1);
    task_join(&consumer.task);
    assert_int_equal(consumer.got, 'z');
}

static void test_a_number_with_a_new_meaning_is_watched_anew(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        struct waiter waiter;
        start_waiter(&waiter, ends[0], WEFT_READABLE, false, WEFT_NEVER);
        assert_int_equal(write(ends[1], "x", 1), 1);
        join(&waiter, 0);
        int old[2] = {ends[0], ends[1]};
        for (int k = 0; k < 2; k++) {
            weft_wait_leave_number(ends[k]);
            close(ends[k]);
        }
        assert_int_equal(make_pipe(NULL), 0);
        assert_int_equal(ends[0], old[0]);
        assert_int_equal(wait_here(ends[0], WEFT_READABLE, weft_now() + 1000000), -ETIMEDOUT);
    }
}

static void test_descriptors_beyond_every_table_are_refused(void **state)
{
    (void)state;
    assert_int_equal(wait_here(1 << 20, WEFT_READABLE, WEFT_NEVER), -ENOMEM);
    assert_int_equal(wait_here(-1, WEFT_READABLE, WEFT_NEVER), -ENOMEM);
    struct waiter waiter = {.count = 2, .deadline = WEFT_NEVER, .result = 99};
    waiter.watchers[0] = (struct weft_watcher){.fd = ends[0], .events = WEFT_READABLE, .shared = true};
    waiter.watchers[1] = (struct weft_watcher){.fd = -1, .events = WEFT_READABLE, .shared = true};
    task_start(&waiter.task, wait_for_watchers, &waiter);
    join(&waiter, -ENOMEM); /* and the first one is taken back */
    assert_int_equal(weft_loop_watching(weft_processors[0].loop), 0);
}

static void test_a_wait_on_a_closed_descriptor_ends(void **state)
{
    (void)state;
    int gone = dup(ends[0]);
    close(gone);
    int64_t begin = weft_now();
    long result = wait_here(gone, WEFT_READABLE, begin + INT64_C(1000000000));
    weft_wait_leave_number(gone);
    assert_true(result == 0 || result == -EBADF);
    assert_true(weft_now() - begin < INT64_C(500000000));
}

static void test_a_wait_on_what_epoll_refuses_ends(void **state)
{
    (void)state;
    int file = open("/proc/self/exe", O_RDONLY);
    assert_true(file >= 0);
    int64_t begin = weft_now();
    long result = wait_here(file, WEFT_READABLE, begin + INT64_C(1000000000));
    weft_wait_leave_number(file);
    close(file);
    assert_int_equal(result, 0);
    assert_true(weft_now() - begin < INT64_C(500000000));
}

#define piped(function) cmocka_unit_test_setup_teardown(function, make_pipe, close_pipe)

int main(void)
{
    const struct CMUnitTest tests[] = {
        piped(test_what_is_ready_returns_at_once),
        piped(test_a_reader_waits_for_a_writer),
        piped(test_a_writer_waits_for_a_reader),
        piped(test_a_hangup_is_readiness),
        piped(test_a_deadline_ends_a_wait),
        piped(test_readiness_is_seen_again_and_again),
        piped(test_consumers_are_woken_one_per_readiness),
        piped(test_what_one_consumer_leaves_wakes_the_next),
        piped(test_observers_are_all_woken),
        piped(test_one_of_two_descriptors_is_enough),
        piped(test_one_descriptor_may_be_watched_twice_by_one_waiter),
        piped(test_both_directions_of_a_socket),
        piped(test_leaving_a_number_wakes_observers_with_ebadf),
        piped(test_a_consumer_goes_on_with_the_description_of_a_closed_number),
        piped(test_a_number_with_a_new_meaning_is_watched_anew),
        piped(test_descriptors_beyond_every_table_are_refused),
        piped(test_a_wait_on_a_closed_descriptor_ends),
        piped(test_a_wait_on_what_epoll_refuses_ends),
    };
    return cmocka_run_group_tests(tests, machine_setup, NULL);
}
