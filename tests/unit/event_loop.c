/* SPDX-License-Identifier: MIT */
/* When a coroutine becomes an event loop that waits in the kernel, and when it stops. */
#include "machine.h"

#include "../../core/bound.h"
#include "../../core/event_loop.h"

/* From event_loop.c. */
enum { ENOUGH = 32, FEW = 4, PER_PROCESSOR = 4, RETRIED = 8192, PROCESSORS = 2 };

static void wait_beside(struct coroutine *self, unsigned others, unsigned count)
{
    struct processor here = {0};
    for (unsigned i = 0; i < count; i++) {
        uint32_t ticks = here.ticks;
        here.ticks += others;
        weft_event_loop_note(self, &here, ticks);
    }
}

static void test_waits_in_a_row_make_a_loop(void **state)
{
    struct coroutine loop = {0};
    (void)state;
    wait_beside(&loop, 0, ENOUGH - 1);
    assert_false(loop.loop_out);
    wait_beside(&loop, 0, 1);
    assert_true(loop.loop_out);
    weft_event_loop_end(&loop);
    assert_false(loop.loop_out);
}

static void test_many_that_run_meanwhile_begin_the_count_again(void **state)
{
    struct coroutine loop = {0};
    (void)state;
    wait_beside(&loop, FEW, ENOUGH - 1);
    wait_beside(&loop, FEW + 1, 1);
    wait_beside(&loop, FEW, ENOUGH - 1);
    assert_false(loop.loop_out);
    wait_beside(&loop, FEW, 1);
    assert_true(loop.loop_out);
    weft_event_loop_end(&loop);
}

static void test_few_are_out_at_once(void **state)
{
    struct coroutine loops[PER_PROCESSOR * PROCESSORS + 1] = {0};
    unsigned count = sizeof loops / sizeof loops[0];
    (void)state;
    for (unsigned i = 0; i < count; i++) {
        wait_beside(&loops[i], 0, ENOUGH);
        assert_int_equal(loops[i].loop_out, i < count - 1);
    }
    weft_event_loop_end(&loops[0]);
    wait_beside(&loops[count - 1], 0, ENOUGH);
    assert_true(loops[count - 1].loop_out);
    for (unsigned i = 0; i < count; i++)
        weft_event_loop_end(&loops[i]);
}

static void test_in_the_child_of_a_fork_there_is_one(void **state)
{
    struct coroutine loops[PER_PROCESSOR * PROCESSORS + 1] = {0};
    unsigned count = sizeof loops / sizeof loops[0];
    (void)state;
    for (unsigned i = 0; i < count - 1; i++)
        wait_beside(&loops[i], 0, ENOUGH);
    weft_event_loop_forget(&loops[0]);
    for (unsigned i = 1; i < count; i++) {
        loops[i] = (struct coroutine){0};
        wait_beside(&loops[i], 0, ENOUGH);
        assert_int_equal(loops[i].loop_out, i < count - 1);
    }
    for (unsigned i = 0; i < count; i++)
        weft_event_loop_end(&loops[i]);
}

static bool has_processor(void)
{
    const struct carrier *carrier = weft_current->carrier;
    return (atomic_load(&carrier->processor->owner) & ~WEFT_FLAGS) == (uintptr_t)carrier;
}

/* Steps out `count` times, each time behind something for which it needed a processor, or nothing. */
static unsigned step_out(unsigned count, bool needs_one)
{
    struct coroutine *self = weft_current;
    unsigned i = 0;
    while (i < count && self->loop_out) {
        if (needs_one) {
            weft_core_enter(self);
            weft_core_leave(self);
        }
        require(weft_event_loop_step_out(self));
        require(!has_processor());
        i++;
    }
    return i;
}

static unsigned lasted[3], wanted[3];

static void be_out(void *argument)
{
    struct coroutine *self = weft_current;
    (void)argument;
    require(!weft_event_loop_step_out(self));
    require(has_processor());
    wait_beside(self, 0, ENOUGH);
    require(self->loop_out);
    lasted[0] = step_out(2 * RETRIED, false);
    wanted[0] = self->loop_wanted;
    wait_beside(self, 0, ENOUGH);
    lasted[1] = step_out(RETRIED, true);
    wanted[1] = self->loop_wanted;
    wait_beside(self, 0, 2 * ENOUGH - 1);
    require(!self->loop_out);
    wait_beside(self, 0, 1);
    lasted[2] = 0;
    while (self->loop_out)
        lasted[2] += step_out(1, true) + step_out(9, false);
    wanted[2] = self->loop_wanted;
}

static void test_one_that_needs_a_processor_often_parks_again(void **state)
{
    struct task task;
    (void)state;
    task_start(&task, be_out, NULL);
    task_join(&task);
    assert_int_equal(lasted[0], RETRIED); /* it looks whether parking is better by now */
    assert_int_equal(wanted[0], ENOUGH);
    assert_in_range(lasted[1], 1, ENOUGH);
    assert_int_equal(wanted[1], 2 * ENOUGH);
    assert_int_equal(lasted[2], RETRIED); /* once in ten waits is not often */
    assert_int_equal(wanted[2], ENOUGH);
}

static void be_prior(void *argument)
{
    struct coroutine *self = weft_current;
    (void)argument;
    self->priority = 1;
    wait_beside(self, 0, 2 * ENOUGH);
    require(!self->loop_out);
    self->priority = 0;
    wait_beside(self, 0, 1);
    require(self->loop_out);
    self->priority = 1;
    require(!weft_event_loop_step_out(self));
    require(!self->loop_out);
    self->priority = 0;
}

static void test_one_with_a_priority_parks(void **state)
{
    struct task task;
    (void)state;
    task_start(&task, be_prior, NULL);
    task_join(&task);
}

static void wait_in_kernel(void *argument)
{
    struct coroutine *self = weft_current;
    (void)argument;
    wait_beside(self, 0, ENOUGH);
    require(weft_event_loop_step_out(self));
    weft_kernel_enter(self);
    weft_kernel_leave(self);
    require(!has_processor());
}

static void test_it_stays_out_when_the_kernel_waits_for_something_else(void **state)
{
    struct task task;
    (void)state;
    task_start(&task, wait_in_kernel, NULL);
    task_join(&task);
}

static void become_bound(void *argument)
{
    struct coroutine *self = weft_current;
    (void)argument;
    wait_beside(self, 0, ENOUGH);
    require(self->loop_out);
    weft_bound_leave_shared(self);
    weft_bound_begin(self, WEFT_BOUND_ALONE);
    require(!self->loop_out);
}

static void test_one_that_is_bound_does_not_count(void **state)
{
    struct task task;
    (void)state;
    task_start(&task, become_bound, NULL);
    task_join(&task);
}

static void end_outside(void *argument)
{
    (void)argument;
    wait_beside(weft_current, 0, ENOUGH);
    require(weft_current->loop_out);
}

static void test_those_that_have_ended_do_not_count(void **state)
{
    (void)state;
    for (int i = 0; i < PER_PROCESSOR * PROCESSORS + 1; i++) {
        struct task task;
        task_start(&task, end_outside, NULL);
        task_join(&task);
    }
}

static int setup(void **state)
{
    (void)state;
    int result = machine_setup_many(PROCESSORS);
    weft_monitor_start();
    return result;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        machine_test(test_waits_in_a_row_make_a_loop),
        machine_test(test_many_that_run_meanwhile_begin_the_count_again),
        machine_test(test_few_are_out_at_once),
        machine_test(test_in_the_child_of_a_fork_there_is_one),
        machine_test(test_one_that_is_bound_does_not_count),
        machine_test(test_one_with_a_priority_parks),
        machine_test(test_it_stays_out_when_the_kernel_waits_for_something_else),
        machine_test(test_those_that_have_ended_do_not_count),
        machine_test(test_one_that_needs_a_processor_often_parks_again),
    };
    return cmocka_run_group_tests_name("event_loop", tests, setup, NULL);
}
