/* SPDX-License-Identifier: MIT */
/* Run queues by themselves, and the start and restart of the machine. */
#include "machine.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../core/priority.h"

enum { NO_LOOK = 1000 /* picks without a look whether a poll is due */ };

static struct coroutine coroutines[200];
static struct processor processor; /* without a carrier, but held */

static int fresh(void **state)
{
    (void)state;
    memset(coroutines, 0, sizeof coroutines);
    processor = (struct processor){.owner = WEFT_IN, .streak_most = WEFT_STREAK, .look_at = NO_LOOK};
    return 0;
}

static void test_pick_takes_in_the_order_of_append(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++)
        weft_processor_append(&processor, &coroutines[i]);
    assert_int_equal(processor.queue.length, 10);
    assert_true(weft_processor_busy(&processor));
    weft_processor_verify(&processor);
    for (int i = 0; i < 10; i++)
        assert_ptr_equal(weft_processor_pick(&processor), &coroutines[i]);
    assert_null(weft_processor_pick(&processor));
    assert_false(weft_processor_busy(&processor));
    assert_int_equal(processor.queue.length, 0);
    weft_processor_append(&processor, &coroutines[3]); /* the tail was reset */
    assert_ptr_equal(weft_processor_pick(&processor), &coroutines[3]);
}

static void test_pick_takes_run_next_first(void **state)
{
    (void)state;
    weft_processor_append(&processor, &coroutines[0]);
    processor.run_next = &coroutines[1];
    assert_ptr_equal(weft_processor_pick(&processor), &coroutines[1]);
    assert_null(processor.run_next);
    assert_ptr_equal(weft_processor_pick(&processor), &coroutines[0]);
}

static void test_run_next_again_and_again_lets_the_queue_in(void **state)
{
    (void)state;
    weft_processor_append(&processor, &coroutines[0]);
    for (int i = 0; i < 199; i++) {
        processor.run_next = &coroutines[1];
        if (weft_processor_pick(&processor) == &coroutines[0]) {
            assert_in_range(i, 10, 198); /* a hand-over stays hot, but not for ever */
            return;
        }
    }
    fail_msg("it does not");
}

static void test_posted_ones_queue_oldest_first(void **state)
{
    (void)state;
    weft_processor_append(&processor, &coroutines[9]);
    for (int i = 0; i < 5; i++)
        weft_processor_post(&processor, &coroutines[i]);
    assert_true(weft_processor_busy(&processor));
    assert_int_equal(processor.queue.length, 1);
    assert_ptr_equal(weft_processor_pick(&processor), &coroutines[9]);
    for (int i = 0; i < 5; i++)
        assert_ptr_equal(weft_processor_pick(&processor), &coroutines[i]);
    assert_null(weft_processor_pick(&processor));
}

static void test_pick_gives_way_to_a_poll_that_is_due(void **state)
{
    (void)state;
    processor.polled_at = __builtin_ia32_rdtsc() - 10 * WEFT_POLL_CYCLES;
    processor.look_at = 0;
    for (int i = 0; i < 200; i++)
        weft_processor_append(&processor, &coroutines[i]);
    int picked = 0;
    while (picked < 200 && weft_processor_pick(&processor))
        picked++;
    assert_true(picked < 100); /* though coroutines are left */
    assert_non_null(processor.queue.head);
    assert_non_null(weft_processor_pick(&processor)); /* the next pick does not insist */
}

static void with_priorities(void)
{
    static const uint8_t priorities[] = {0, 10, 30, 100, 30, 0, 64, 63, 10};
    for (int i = 0; i < 9; i++) {
        coroutines[i].priority = priorities[i];
        weft_processor_append(&processor, &coroutines[i]);
    }
    weft_processor_verify(&processor);
}

static void test_pick_takes_the_highest_priority_first(void **state)
{
    static const int order[] = {3, 6, 7, 2, 4, 1, 8, 9, 0, 5};
    (void)state;
    with_priorities();
    processor.run_next = &coroutines[9];
    assert_true(processor.special & WEFT_PRIORITIZED);
    for (int i = 0; i < 10; i++)
        assert_ptr_equal(weft_processor_pick(&processor), &coroutines[order[i]]);
    assert_null(weft_processor_pick(&processor));
    assert_int_equal(processor.special, 0);
    assert_false(weft_processor_busy(&processor));
}

static void test_who_was_running_goes_before_its_equals(void **state)
{
    (void)state;
    with_priorities();
    coroutines[10].priority = 30;
    weft_processor_prepend(&processor, &coroutines[10]);
    weft_processor_prepend(&processor, &coroutines[11]);
    weft_processor_verify(&processor);
    for (int i = 0; i < 3; i++)
        weft_processor_pick(&processor);
    assert_ptr_equal(weft_processor_pick(&processor), &coroutines[10]);
    for (int i = 0; i < 4; i++)
        weft_processor_pick(&processor);
    assert_ptr_equal(weft_processor_pick(&processor), &coroutines[11]);
}

static void test_the_others_have_a_turn_at_last(void **state)
{
    (void)state;
    coroutines[0].priority = 99;
    weft_processor_append(&processor, &coroutines[1]);
    weft_processor_append(&processor, &coroutines[0]);
    assert_ptr_equal(weft_processor_pick(&processor), &coroutines[0]);
    weft_processor_append(&processor, &coroutines[0]);
    processor.prioritized_since -= WEFT_PRIORITY_CYCLES;
    assert_ptr_equal(weft_processor_pick(&processor), &coroutines[1]);
    weft_processor_append(&processor, &coroutines[1]);
    assert_ptr_equal(weft_processor_pick(&processor), &coroutines[0]);
}

/* Breaks an invariant in a child, where verify must end the process. */
static void assert_verify_aborts(void (*damage)(void))
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        close(2);
        for (int i = 0; i < 3; i++)
            weft_processor_append(&processor, &coroutines[i]);
        weft_processor_verify(&processor);
        damage();
        weft_processor_verify(&processor);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

static void not_held(void)
{
    atomic_store(&processor.owner, 0);
    weft_processor_take(&processor);
}

static void not_held_by_who_appends(void)
{
    atomic_store(&processor.owner, 0);
    weft_processor_append(&processor, &coroutines[7]);
}

static void not_held_by_who_stops_a_deadline(void)
{
    coroutines[7].home = &processor;
    atomic_store(&processor.owner, 0);
    weft_deadline_stop(&coroutines[7], &processor);
}

static void wrong_length(void)
{
    processor.queue.length++;
}

static void wrong_tail(void)
{
    processor.queue.tail = &coroutines[0];
}

static void parked_in_queue(void)
{
    coroutines[1].state = WEFT_PARKED;
}

static void dead_next(void)
{
    coroutines[5].state = WEFT_DEAD;
    processor.run_next = &coroutines[5];
}

static void lost_priority(void)
{
    with_priorities();
    processor.priority_map[1] = 0;
}

static void disordered_timers(void)
{
    weft_timers_start(&processor.timers, &coroutines[0].timer, 1);
    weft_timers_start(&processor.timers, &coroutines[1].timer, 2);
    coroutines[0].timer.deadline = 3;
}

static void test_verify_sees_what_is_broken(void **state)
{
    (void)state;
    assert_verify_aborts(not_held);
    assert_verify_aborts(not_held_by_who_appends);
    assert_verify_aborts(not_held_by_who_stops_a_deadline);
    assert_verify_aborts(wrong_length);
    assert_verify_aborts(wrong_tail);
    assert_verify_aborts(parked_in_queue);
    assert_verify_aborts(dead_next);
    assert_verify_aborts(lost_priority);
    assert_verify_aborts(disordered_timers);
}

static void test_the_calling_thread_becomes_the_main_coroutine(void **state)
{
    struct coroutine *self = weft_current;
    (void)state;
    assert_non_null(self);
    assert_int_equal(self->tid, getpid());
    assert_ptr_equal(weft_coroutine_find(getpid()), self);
    assert_int_equal(self->state, WEFT_RUNNING);
    assert_ptr_equal(self->carrier->processor, &weft_processors[0]);
    assert_int_equal(atomic_load(&weft_processors[0].owner), (uintptr_t)self->carrier);
    assert_int_equal(weft_processor_count, 1);
    assert_int_equal(weft_carrier_count(), 1);
}

static void test_core_is_entered_and_left(void **state)
{
    (void)state;
    uintptr_t carrier = (uintptr_t)weft_current->carrier;
    struct processor *here = weft_core_enter(weft_current);
    assert_ptr_equal(here, &weft_processors[0]);
    assert_int_equal(atomic_load(&here->owner), carrier | WEFT_IN);
    weft_core_leave(weft_current);
    assert_int_equal(atomic_load(&here->owner), carrier);
}

static uint32_t word;

static void wait_for_word(void *argument)
{
    (void)argument;
    weft_futex_wait(weft_current, &word, 0, WEFT_FUTEX_ANY, WEFT_NEVER, WEFT_REASON_FUTEX);
}

static void yield_once(void *argument)
{
    (void)argument;
    weft_yield(weft_current);
}

static void count_live(struct coroutine *coroutine, void *argument)
{
    (void)coroutine;
    ++*(int *)argument;
}

static int restart_in_child(void)
{
    struct coroutine *self = weft_current;
    struct task again;
    int live = 0;
    weft_core_enter(self);
    pid_t child = fork();
    if (child != 0) {
        int status;
        weft_core_leave(self);
        assert_int_equal(waitpid(child, &status, 0), child);
        return status;
    }
    if (weft_machine_restart(self) != 0)
        _exit(1);
    weft_coroutine_each(count_live, &live);
    if (live != 1 || self->tid != getpid() || weft_coroutine_find(getpid()) != self)
        _exit(2);
    if (weft_futex_wake(self, &word, 10, WEFT_FUTEX_ANY) != 0)
        _exit(3);
    task_start(&again, yield_once, NULL);
    task_join(&again);
    task_sleep(1000000);
    _exit(weft_carrier_count() == 1 ? 0 : 4);
}

static void test_the_child_of_a_fork_goes_on_alone(void **state)
{
    struct task waiters[3];
    (void)state;
    for (int i = 0; i < 3; i++)
        task_start(&waiters[i], wait_for_word, NULL);
    weft_yield(weft_current);
    assert_int_equal(restart_in_child(), 0);
    assert_int_equal(weft_futex_wake(weft_current, &word, 10, WEFT_FUTEX_ANY),
                     3); /* the parent's are untouched */
    for (int i = 0; i < 3; i++)
        task_join(&waiters[i]);
}

static void test_a_restart_without_descriptors_is_an_error(void **state)
{
    (void)state;
    int status;
    pid_t child = fork();
    if (child == 0) {
        struct rlimit none = {0, 0};
        signal(SIGSEGV, SIG_DFL);
        setrlimit(RLIMIT_NOFILE, &none);
        weft_core_enter(weft_current);
        _exit(weft_machine_restart(weft_current) < 0 ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

#define own(function) cmocka_unit_test_setup(function, fresh)

int main(void)
{
    const struct CMUnitTest tests[] = {
        own(test_pick_takes_in_the_order_of_append),
        own(test_pick_takes_run_next_first),
        own(test_run_next_again_and_again_lets_the_queue_in),
        own(test_posted_ones_queue_oldest_first),
        own(test_pick_gives_way_to_a_poll_that_is_due),
        own(test_pick_takes_the_highest_priority_first),
        own(test_who_was_running_goes_before_its_equals),
        own(test_the_others_have_a_turn_at_last),
        own(test_verify_sees_what_is_broken),
        machine_test(test_the_calling_thread_becomes_the_main_coroutine),
        machine_test(test_core_is_entered_and_left),
        machine_test(test_the_child_of_a_fork_goes_on_alone),
        machine_test(test_a_restart_without_descriptors_is_an_error),
    };
    return cmocka_run_group_tests(tests, machine_setup, NULL);
}
