/* SPDX-License-Identifier: MIT */
/* The hooks that yield and sleep, and times as deadlines (hooks/deadline.h). */
#include "machine.h"

#include <errno.h>
#include <time.h>

#include "../../hooks/call.h"
#include "../../hooks/deadline.h"

enum { SECOND = 1000000000 };

static uint32_t others;

static void count(void *argument)
{
    (void)argument;
    others++;
}

static void test_sched_yield_runs_who_is_ready(void **state)
{
    struct weft_call call = {.number = SYS_sched_yield};
    struct task tasks[3];
    (void)state;
    others = 0;
    for (int i = 0; i < 3; i++)
        task_start(&tasks[i], count, NULL);
    assert_int_equal(weft_hooks[SYS_sched_yield](&call), 0);
    assert_int_equal(others, 3);
    for (int i = 0; i < 3; i++)
        task_join(&tasks[i]);
}

static void test_a_sleep_lasts_as_long_as_was_asked_for_and_others_run(void **state)
{
    struct timespec span = {0, 3000000};
    struct weft_call call = {.number = SYS_nanosleep, .arguments = {(long)&span}};
    struct task task;
    (void)state;
    others = 0;
    task_start(&task, count, NULL);
    int64_t before = weft_now();
    assert_int_equal(weft_hooks[SYS_nanosleep](&call), 0);
    assert_true(weft_now() - before >= span.tv_nsec);
    assert_int_equal(others, 1);
    task_join(&task);
}

static void test_a_span_is_counted_from_now(void **state)
{
    const struct timespec span = {2, 5};
    (void)state;
    int64_t before = weft_now(), deadline = weft_deadline_from(&span, -1), after = weft_now();
    assert_in_range(deadline, before + INT64_C(2000000005), after + INT64_C(2000000005));
    before = weft_now();
    deadline = weft_deadline_from_milliseconds(70);
    assert_in_range(deadline, before + 70000000, weft_now() + 70000000);
    assert_int_equal(weft_deadline_from_milliseconds(-1), WEFT_NEVER);
    assert_int_equal(weft_deadline_from(NULL, -1), WEFT_NEVER);
}

/* It was ended for a signal that was another thread's in the end: what had passed of its time has passed. */
static void test_a_call_that_is_made_again_counts_from_its_first_begin(void **state)
{
    (void)state;
    int64_t first = weft_deadline_from_milliseconds(1000);
    weft_current->restarted = true;
    task_sleep(2000000);
    int64_t again = weft_deadline_from_milliseconds(1000);
    weft_current->restarted = false;
    assert_int_equal(again, first);
    assert_true(weft_deadline_from_milliseconds(1000) >= first + 2000000);
}

static void test_absolute_times_are_of_their_clock(void **state)
{
    struct timespec time;
    (void)state;
    clock_gettime(CLOCK_REALTIME, &time);
    time.tv_sec += 5;
    int64_t left = weft_deadline_from(&time, CLOCK_REALTIME) - weft_now();
    assert_in_range(left, INT64_C(4) * SECOND, INT64_C(5) * SECOND);
    clock_gettime(CLOCK_MONOTONIC, &time);
    assert_int_equal(weft_deadline_from(&time, CLOCK_MONOTONIC),
                     time.tv_sec * INT64_C(1000000000) + time.tv_nsec);
    time.tv_sec = INT64_MAX; /* longer than any deadline */
    assert_int_equal(weft_deadline_from(&time, -1), WEFT_NEVER);
}

static void test_what_the_kernel_takes_for_a_time(void **state)
{
    const struct timespec right[] = {{0, 0}, {0, SECOND - 1}, {INT64_MAX, 5}},
                          wrong[] = {{-1, 0}, {0, -1}, {0, SECOND}};
    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_true(weft_timespec_valid(&right[i]));
        assert_false(weft_timespec_valid(&wrong[i]));
    }
}

static int setup(void **state)
{
    weft_hooks_install();
    return machine_setup(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        machine_test(test_sched_yield_runs_who_is_ready),
        machine_test(test_a_sleep_lasts_as_long_as_was_asked_for_and_others_run),
        machine_test(test_a_span_is_counted_from_now),
        machine_test(test_a_call_that_is_made_again_counts_from_its_first_begin),
        machine_test(test_absolute_times_are_of_their_clock),
        machine_test(test_what_the_kernel_takes_for_a_time),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
