/* SPDX-License-Identifier: MIT */
/* How many processors share the work: the decision in worlds of numbers, and what a processor does that
 * stands by. */
#include "machine.h"

#include "../../core/balance.h"
#include "world.h"

enum { PROCESSORS = 4 };

/* The load needs a CPU as well, so the second carrier only costs. */
static struct outcome shared_with_the_load(unsigned active)
{
    return active == 1 ? (struct outcome){95, 1, 95, 130000}
                       : (struct outcome){active * 66, active, active * 66, 90000};
}

static struct outcome cpus_for_all(unsigned active)
{
    return (struct outcome){active * 99, active, active * 99, 100000 * active};
}

/* One would do as far as CPUs go, but the second makes everything faster. */
static struct outcome faster_though_idle(unsigned active)
{
    return (struct outcome){45 * active, 0, 0, active == 1 ? 50000 : 90000};
}

static struct outcome little_to_do(unsigned active)
{
    return (struct outcome){40 / active * active, 0, 0, 40000};
}

/* Many others: each gets a small share, and one carrier less would get less. */
static struct outcome among_many(unsigned active)
{
    return (struct outcome){active * 30, active, active * 30, 25000 * active};
}

/* Turns of half a microsecond, which share so much that two CPUs do less than one, */
static struct outcome tiny_and_shared(unsigned active)
{
    return (struct outcome){active * 99, active, active * 99, active == 1 ? 2000000 : 1400000};
}

/* or nothing, as far as there are CPUs. */
static struct outcome tiny_and_apart(unsigned active)
{
    return (struct outcome){active * 99, active, active * 99, active == 1 ? 2000000 : 4000000};
}

static struct outcome long_work(unsigned active)
{
    return (struct outcome){active * 66, active, active * 66, 300};
}

static void test_one_stands_by_where_the_load_needs_the_cpu(void **state)
{
    (void)state;
    begin_with(2);
    assert_true(live(shared_with_the_load, 10 * SECOND, 1, false) > 9 * 5 * SECOND / 10);
}

static void test_all_share_when_there_are_cpus(void **state)
{
    (void)state;
    begin_with(PROCESSORS);
    assert_int_equal(live(cpus_for_all, 4 * SECOND, PROCESSORS, false), 2 * SECOND);
}

static void test_all_come_back_when_the_cpus_are_free_again(void **state)
{
    (void)state;
    begin_with(2);
    live(shared_with_the_load, 60 * SECOND, 1, false);
    live(cpus_for_all, 3 * SECOND, PROCESSORS, false);
    assert_int_equal(live(cpus_for_all, 2 * SECOND, PROCESSORS, false), SECOND);
}

static void test_a_trial_that_failed_becomes_rare(void **state)
{
    (void)state;
    begin_with(2);
    live(faster_though_idle, 20 * SECOND, 2, false);
    unsigned good = live(faster_though_idle, 40 * SECOND, 2, false);
    assert_true(good < 20 * SECOND); /* it is tried again, */
    assert_true(good > 19 * SECOND); /* but seldom */
}

static void test_little_work_needs_one(void **state)
{
    (void)state;
    begin_with(PROCESSORS);
    assert_int_equal(live(little_to_do, 10 * SECOND, 1, false), 5 * SECOND);
}

static void test_among_many_others_all_go_on(void **state)
{
    (void)state;
    begin_with(PROCESSORS);
    assert_int_equal(live(among_many, 10 * SECOND, PROCESSORS, false), 5 * SECOND);
}

static void test_tiny_turns_that_share_much_are_left_to_one(void **state)
{
    (void)state;
    begin_with(2);
    unsigned good = live(tiny_and_shared, 20 * SECOND, 1, false);
    assert_true(good > 19 * 10 * SECOND / 20); /* more is tried again, but seldom */
}

/* Each trial lasts a window. */
static void test_tiny_turns_that_share_nothing_are_hardly_disturbed(void **state)
{
    (void)state;
    begin_with(2);
    unsigned disturbed = live(tiny_and_apart, 40 * SECOND, 1, false);
    assert_in_range(disturbed, 20 / 4 - 1, 20 / 4 + 1);
}

static void test_long_work_is_never_tried_with_fewer(void **state)
{
    (void)state;
    begin_with(2);
    assert_int_equal(live(long_work, 10 * SECOND, 2, false), 5 * SECOND);
}

static void test_what_is_not_known_changes_nothing(void **state)
{
    (void)state;
    begin_with(2);
    for (unsigned i = 0; i < 4 * SECOND; i++) {
        weft_parallelism_decide(now += WEFT_WINDOW, (struct weft_shares){.known = 1, .cpu = 40}, 40000);
        assert_int_equal(atomic_load(&weft_parallelism), 2);
    }
}

static struct {
    uint32_t begun, done;
    unsigned processor;
} seen;

static void note_processor(void *argument)
{
    (void)argument;
    seen.processor = weft_current->carrier->processor->index;
    __atomic_store_n(&seen.done, 1, __ATOMIC_RELEASE);
}

static void start_on(unsigned processor, struct task *task, void (*function)(void *))
{
    task_prepare(task, function, NULL);
    task->coroutine->state = WEFT_READY;
    weft_processor_post(&weft_processors[processor], task->coroutine);
}

/* Where the kernel leaves us without a CPU just then, it is rescued instead, which is right; mostly it does
 * not. */
static void test_who_stands_by_passes_on_what_becomes_ready(void **state)
{
    enum { ROUNDS = 300 };
    unsigned passed_on = 0;
    (void)state;
    weft_parallelism_reset();
    atomic_store(&weft_parallelism, 1);
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct task task;
        seen.done = 0;
        start_on(1 + round % (PROCESSORS - 1), &task, note_processor);
        assert_true(task_yield_until(&seen.done, 1));
        task_join(&task);
        passed_on += seen.processor == 0;
    }
    assert_true(passed_on > ROUNDS / 2);
    weft_parallelism_reset();
}

/* The main coroutine keeps the first processor for good: nobody but one that stands by can help. */
static void test_who_stands_by_runs_it_while_the_others_stall(void **state)
{
    struct task task;
    (void)state;
    weft_parallelism_reset();
    atomic_store(&weft_parallelism, 1);
    seen.done = 0;
    task_start(&task, note_processor, NULL);
    while (!__atomic_load_n(&seen.done, __ATOMIC_ACQUIRE)) {
        weft_balance_stalled(&weft_processors[0]);
        weft_balance_call_rescuer(); /* as the monitor does */
        __builtin_ia32_pause();
    }
    task_join(&task);
    assert_int_not_equal(seen.processor, 0);
    weft_parallelism_reset();
}

static int setup(void **state)
{
    (void)state;
    return machine_setup_many(PROCESSORS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_stands_by_where_the_load_needs_the_cpu),
        cmocka_unit_test(test_all_share_when_there_are_cpus),
        cmocka_unit_test(test_all_come_back_when_the_cpus_are_free_again),
        cmocka_unit_test(test_a_trial_that_failed_becomes_rare),
        cmocka_unit_test(test_little_work_needs_one),
        cmocka_unit_test(test_among_many_others_all_go_on),
        cmocka_unit_test(test_tiny_turns_that_share_much_are_left_to_one),
        cmocka_unit_test(test_tiny_turns_that_share_nothing_are_hardly_disturbed),
        cmocka_unit_test(test_long_work_is_never_tried_with_fewer),
        cmocka_unit_test(test_what_is_not_known_changes_nothing),
        machine_test(test_who_stands_by_passes_on_what_becomes_ready),
        machine_test(test_who_stands_by_runs_it_while_the_others_stall),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
