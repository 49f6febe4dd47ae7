/* SPDX-License-Identifier: MIT */
/* Waiting for descriptors to become ready: hooks/wait.h over core/loop.h. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "pipe_waiter.h"

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

/* Waits for `fd` and returns whether the kernel has said that it can be read, and nothing else. */
static bool told_of(int fd, int events)
{
    struct weft_watcher watcher = {.fd = fd, .events = events, .shared = true};
    assert_int_equal(weft_wait_watchers(&watcher, 1, WEFT_REASON_POLL, WEFT_NEVER), 0);
    return watcher.told;
}

static void test_who_waited_is_told_of_readability_and_nothing_else(void **state)
{
    int sockets[2], refused = open("/dev/null", O_RDONLY);
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
    assert_int_equal(write(sockets[1], "x", 1), 1);
    assert_true(told_of(sockets[0], WEFT_READABLE));
    assert_false(told_of(refused, WEFT_READABLE));
    assert_false(told_of(sockets[0], WEFT_WRITABLE));
    assert_int_equal(send(sockets[1], "u", 1, MSG_OOB), 1);
    assert_false(told_of(sockets[0], WEFT_READABLE | WEFT_URGENT));
    close(ends[1]);
    ends[1] = -1;
    assert_false(told_of(ends[0], WEFT_READABLE));
    int numbers[] = {sockets[0], sockets[1], refused};
    for (int i = 0; i < 3; i++) {
        weft_wait_leave_number(numbers[i]);
        close(numbers[i]);
    }
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
    start_waiter(&consumers[1], ends[0], WEFT_READABLE, false, WEFT_NEVER);
    start_waiter(&observers[2], ends[0], WEFT_READABLE, true, WEFT_NEVER);
    int consumers_among;
    assert_int_equal(weft_loop_watchers(weft_processors[0].loop, ends[0], &consumers_among), 5);
    assert_int_equal(consumers_among, 2);
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

/* What the loop's epoll descriptor has `fd` registered for; 0: it has not. */
static unsigned registered(int fd)
{
    int own[WEFT_OWN_DESCRIPTORS], count = weft_loop_owned(own), found;
    unsigned events, result = 0;
    for (int i = 0; i < count; i++) {
        char line[256];
        snprintf(line, sizeof line, "/proc/self/fdinfo/%d", own[i]);
        FILE *file = fopen(line, "r");
        assert_non_null(file);
        while (fgets(line, sizeof line, file))
            if (sscanf(line, "tfd: %d events: %x", &found, &events) == 2 && found == fd)
                result = events & ~(unsigned)(EPOLLERR | EPOLLHUP); /* which the kernel adds */
        fclose(file);
    }
    return result;
}

/* Lets it fire with nobody waiting: that is seen when the loop is polled the next time. */
static bool becomes_registered(int fd, unsigned events)
{
    int64_t limit = weft_now() + INT64_C(10000000000);
    while (registered(fd) != events && weft_now() < limit)
        task_sleep(1000000);
    return registered(fd) == events;
}

static void test_an_epoll_descriptor_is_silenced_instead_of_deleted(void **state)
{
    (void)state;
    int epoll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN};
    assert_int_equal(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event), 0);
    for (int i = 0; i < 3; i++) {
        char byte;
        assert_int_equal(wait_here(epoll, WEFT_READABLE | WEFT_NESTED, soon()), -ETIMEDOUT);
        assert_true(registered(epoll) & EPOLLIN);
        assert_int_equal(write(ends[1], "x", 1), 1);
        assert_true(becomes_registered(epoll, EPOLLONESHOT));
        assert_int_equal(wait_here(epoll, WEFT_READABLE | WEFT_NESTED, WEFT_NEVER), 0);
        assert_int_equal(read(ends[0], &byte, 1), 1);
    }
    weft_wait_leave_number(epoll);
    close(epoll);
}

static void test_one_that_fires_although_it_is_silenced_is_deleted(void **state)
{
    (void)state;
    assert_int_equal(wait_here(ends[0], WEFT_READABLE | WEFT_NESTED, soon()), -ETIMEDOUT);
    close(ends[1]);
    ends[1] = -1;
    assert_true(becomes_registered(ends[0], 0));
    assert_int_equal(wait_here(ends[0], WEFT_READABLE | WEFT_NESTED, WEFT_NEVER), 0);
}

struct written {
    struct loop *loop;
    int polls;
};

static void poll_loop(void *argument)
{
    struct written *written = argument;
    for (int i = 0; i < written->polls; i++)
        weft_loop_poll(written->loop, 0);
}

/* Somebody has written what ends[0] reads; its loop is polled so often before anybody else runs. */
static void tell_and_poll(int polls)
{
    struct processor *here = weft_core_enter(weft_current);
    weft_loop_written(here->loop, ends[0]);
    weft_vectors_preserved(poll_loop, &(struct written){here->loop, polls});
    weft_core_leave(weft_current);
}

static void test_who_writes_wakes_one_consumer_and_the_observers(void **state)
{
    struct waiter consumers[2], observers[2];
    (void)state;
    for (int i = 0; i < 2; i++) {
        start_waiter(&consumers[i], ends[0], WEFT_READABLE, false, WEFT_NEVER);
        start_waiter(&observers[i], ends[0], WEFT_READABLE, true, WEFT_NEVER);
    }
    tell_and_poll(0);
    join(&consumers[0], 0);
    join(&observers[0], 0);
    join(&observers[1], 0);
    assert_int_equal(consumers[1].result, 99);
    tell_and_poll(0);
    join(&consumers[1], 0);
}

static void test_the_event_of_what_was_written_is_expected_once(void **state)
{
    struct waiter waiter;
    (void)state;
    start_waiter(&waiter, ends[0], WEFT_READABLE, false, WEFT_NEVER);
    tell_and_poll(1); /* the kernel knows it */
    join(&waiter, 0);
    for (int polls = 1; polls < 4; polls++) {
        start_waiter(&waiter, ends[0], WEFT_READABLE, false, WEFT_NEVER);
        assert_int_equal(write(ends[1], "x", 1), 1);
        tell_and_poll(polls);
        assert_int_equal(registered(ends[0]),
                         polls < 3 ? EPOLLIN : 0); /* libev tells the kernel in the poll after */
        join(&waiter, 0);
        drain_pipe();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        piped(test_what_is_ready_returns_at_once),
        piped(test_a_reader_waits_for_a_writer),
        piped(test_a_writer_waits_for_a_reader),
        piped(test_a_hangup_is_readiness),
        piped(test_who_waited_is_told_of_readability_and_nothing_else),
        piped(test_a_deadline_ends_a_wait),
        piped(test_readiness_is_seen_again_and_again),
        piped(test_consumers_are_woken_one_per_readiness),
        piped(test_what_one_consumer_leaves_wakes_the_next),
        piped(test_observers_are_all_woken),
        piped(test_one_of_two_descriptors_is_enough),
        piped(test_one_descriptor_may_be_watched_twice_by_one_waiter),
        piped(test_both_directions_of_a_socket),
        piped(test_an_epoll_descriptor_is_silenced_instead_of_deleted),
        piped(test_one_that_fires_although_it_is_silenced_is_deleted),
        piped(test_who_writes_wakes_one_consumer_and_the_observers),
        piped(test_the_event_of_what_was_written_is_expected_once),
    };
    return cmocka_run_group_tests(tests, machine_setup, NULL);
}
