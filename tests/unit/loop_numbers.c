/* SPDX-License-Identifier: MIT */
/* Waiting for descriptors whose numbers are closed, taken anew, out of range, or of files that are never
 * waited for. */
#include "pipe_waiter.h"

#include "../../hooks/descriptor.h"

static void test_an_observer_goes_on_with_the_description_of_a_closed_number(void **state)
{
    struct waiter observer;
    struct weft_watcher *watcher = &observer.watchers[0];
    int fd = ends[0];
    (void)state;
    start_waiter(&observer, fd, WEFT_READABLE, true, WEFT_NEVER);
    weft_wait_leave_number(fd);
    close(fd);
    assert_int_equal(open("/dev/null", O_RDONLY), fd); /* takes the number */
    assert_int_equal(write(ends[1], "x", 1), 1);
    join(&observer, 0);
    assert_true(watcher->moved && weft_loop_owns(watcher->fd));
    weft_watchers_done(watcher, 1);
    assert_false(weft_loop_owns(watcher->fd));
    assert_int_equal(weft_raw2(SYS_fcntl, watcher->fd, F_GETFD), -EBADF);
}

/* There is room for so many at a time. */
static void test_an_observer_without_a_successor_is_woken_with_ebadf(void **state)
{
    enum { SUCCESSORS = 64 };
    struct waiter observers[SUCCESSORS + 1];
    int numbers[SUCCESSORS + 1];
    (void)state;
    for (int i = 0; i <= SUCCESSORS; i++) {
        numbers[i] = dup(ends[0]);
        start_waiter(&observers[i], numbers[i], WEFT_READABLE, true, WEFT_NEVER);
        weft_wait_leave_number(numbers[i]);
        close(numbers[i]);
    }
    join(&observers[SUCCESSORS], -EBADF);
    assert_int_equal(write(ends[1], "x", 1), 1);
    for (int i = 0; i < SUCCESSORS; i++) {
        join(&observers[i], 0);
        weft_watchers_done(observers[i].watchers, 1);
    }
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

/* And so does an observer beside it, whose time passes. */
static void test_a_consumer_goes_on_with_the_description_of_a_closed_number(void **state)
{
    struct consumer consumer = {.got = 0};
    struct waiter observer;
    int fd = ends[0];
    (void)state;
    task_start(&consumer.task, read_target, &consumer);
    while (!consumer.waits)
        weft_yield(weft_current);
    start_waiter(&observer, fd, WEFT_READABLE, true, weft_now() + 1000000);
    weft_wait_leave_number(fd);
    join(&observer, -ETIMEDOUT);
    weft_watchers_done(observer.watchers, 1);
    assert_int_equal(weft_descriptor_find(fd)->holders, 0);
    close(fd);
    int again = open("/dev/null", O_RDONLY); /* takes the number */
    assert_int_equal(again, fd);
    assert_int_equal(write(ends[1], "z", 1), 1);
    task_join(&consumer.task);
    assert_int_equal(consumer.got, 'z');
}

static uint32_t held, let_go;

static void hold_for_a_while(void *argument)
{
    struct weft_target target = weft_target_of(ends[0]);
    (void)argument;
    weft_target_hold(&target);
    held = 1;
    for (int i = 0; i < 100; i++)
        weft_yield(weft_current);
    let_go = 1;
    weft_target_done(&target, 0);
}

static void test_who_leaves_a_number_lets_those_that_hold_it_go_on(void **state)
{
    struct task task;
    (void)state;
    held = let_go = 0;
    task_start(&task, hold_for_a_while, NULL);
    assert_true(task_yield_until(&held, 1));
    weft_wait_leave_number(ends[0]);
    assert_int_equal(let_go, 1);
    assert_int_equal(weft_descriptor_find(ends[0])->holders, 0);
    task_join(&task);
}

static void test_nobody_holds_a_number_in_a_new_process(void **state)
{
    struct weft_target target = weft_target_of(ends[0]);
    (void)state;
    weft_target_hold(&target);
    assert_int_equal(weft_descriptor_find(ends[0])->holders, 1);
    weft_descriptors_restart();
    assert_int_equal(weft_descriptor_find(ends[0])->holders, 0);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        piped(test_an_observer_goes_on_with_the_description_of_a_closed_number),
        piped(test_an_observer_without_a_successor_is_woken_with_ebadf),
        piped(test_a_consumer_goes_on_with_the_description_of_a_closed_number),
        piped(test_who_leaves_a_number_lets_those_that_hold_it_go_on),
        piped(test_nobody_holds_a_number_in_a_new_process),
        piped(test_a_number_with_a_new_meaning_is_watched_anew),
        piped(test_descriptors_beyond_every_table_are_refused),
        piped(test_a_wait_on_a_closed_descriptor_ends),
        piped(test_a_wait_on_what_epoll_refuses_ends),
    };
    return cmocka_run_group_tests(tests, machine_setup, NULL);
}
