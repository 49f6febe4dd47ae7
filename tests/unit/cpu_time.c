/* SPDX-License-Identifier: MIT */
/* The CPU time of coroutines: whose it is, that it is never more than the kernel's, and that it runs forward.
 */
#include "machine.h"

#include <time.h>

#include "../../core/cpu_time.h"

enum { SLICE = 30000 /* ns, longer than WEFT_CPU_TIME_ASK */, SLICES = 500 };

static int64_t kernels(void)
{
    struct timespec time;
    require(weft_raw2(SYS_clock_gettime, CLOCK_THREAD_CPUTIME_ID, (long)&time) == 0);
    return time.tv_sec * 1000000000 + time.tv_nsec;
}

static uint32_t stop;
static int64_t counted[2];

static void compute(int64_t nanoseconds)
{
    int64_t end = kernels() + nanoseconds;
    while (kernels() < end)
        continue;
}

static void computes(void *length)
{
    for (int i = 0; i < SLICES; i++) {
        compute((int64_t)(intptr_t)length);
        weft_yield(weft_current);
    }
    counted[0] = weft_cpu_time(weft_current);
    stop = 1;
}

static void only_yields(void *argument)
{
    (void)argument;
    int64_t last = 0;
    while (!stop) {
        weft_yield(weft_current);
        int64_t now = weft_cpu_time(weft_current);
        require(now >= last);
        last = now;
    }
    counted[1] = last;
}

static void test_nothing_is_counted_before_somebody_asks(void **state)
{
    struct task task;
    (void)state;
    stop = 0;
    task_start(&task, computes, (void *)1000);
    assert_true(task_yield_until(&stop, 1));
    assert_int_equal(counted[0], 0);
    assert_int_equal(weft_processors[0].special, 0);
    task_join(&task);
}

static void check_shares(int64_t length, int64_t least)
{
    struct task tasks[2];
    int64_t begin = kernels(), mine = weft_cpu_time(weft_current);
    stop = 0;
    task_start(&tasks[0], computes, (void *)(intptr_t)length);
    task_start(&tasks[1], only_yields, NULL);
    task_join(&tasks[0]);
    task_join(&tasks[1]);
    int64_t all = counted[0] + counted[1] + weft_cpu_time(weft_current) - mine;
    assert_true(counted[0] >= least);
    assert_true(all <= kernels() - begin + WEFT_CPU_TIME_ASK);
}

static void test_who_computes_is_charged(void **state)
{
    (void)state;
    weft_cpu_time_begin();
    check_shares(SLICE, (int64_t)SLICE * SLICES - WEFT_CPU_TIME_ASK);
    assert_true(counted[1] < counted[0] / 3);
}

static void test_short_turns_are_charged_without_the_kernel(void **state)
{
    (void)state;
    weft_cpu_time_begin();
    check_shares(3000, (int64_t)3000 * SLICES * 3 / 4);
}

static void test_a_clock_does_not_go_back_behind_what_was_told(void **state)
{
    (void)state;
    weft_cpu_time_begin();
    int64_t told = weft_cpu_time_peek(weft_current) + INT64_C(1000000000);
    weft_current->cpu_time_told = told;
    assert_int_equal(weft_cpu_time_peek(weft_current), told);
    assert_int_equal(weft_cpu_time(weft_current), told);
    weft_current->cpu_time_told = 0;
}

static void test_the_own_use_before_the_first_question_counts(void **state)
{
    (void)state; /* the first test has computed, on this kernel thread, before the second has asked */
    assert_true(weft_cpu_time(weft_current) > (int64_t)1000 * SLICES);
}

static void sleeps(void *argument)
{
    (void)argument;
    task_sleep(20000000);
    counted[1] = weft_cpu_time(weft_current);
}

static void test_a_sleep_is_not_counted(void **state)
{
    struct task task;
    (void)state;
    weft_cpu_time_begin();
    task_start(&task, sleeps, NULL);
    task_join(&task);
    assert_true(counted[1] < 2000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        machine_test(test_nothing_is_counted_before_somebody_asks),
        machine_test(test_who_computes_is_charged),
        machine_test(test_short_turns_are_charged_without_the_kernel),
        machine_test(test_the_own_use_before_the_first_question_counts),
        machine_test(test_a_sleep_is_not_counted),
        machine_test(test_a_clock_does_not_go_back_behind_what_was_told),
    };
    return cmocka_run_group_tests(tests, machine_setup, NULL);
}
