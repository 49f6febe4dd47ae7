/* SPDX-License-Identifier: MIT */
/* Parking, readying, yielding, ending: the order in which coroutines of one processor run. */
#include "machine.h"

#include <errno.h>
#include <string.h>

enum { MOST = 64 };

static char order[MOST * 64];
static size_t length;

static void note(char name)
{
    require(length < sizeof order - 1);
    order[length++] = name;
    order[length] = 0;
}

static int fresh(void **state)
{
    (void)state;
    length = 0;
    order[0] = 0;
    return 0;
}

static void note_name(void *name)
{
    note(*(char *)name);
}

static void test_ready_coroutines_run_in_the_order_in_which_they_came(void **state)
{
    struct task tasks[26];
    char names[] = "abcdefghijklmnopqrstuvwxyz";
    (void)state;
    for (int i = 0; i < 26; i++)
        task_start(&tasks[i], note_name, &names[i]);
    assert_string_equal(order, ""); /* ready is not yet running */
    for (int i = 0; i < 26; i++)
        task_join(&tasks[i]);
    assert_string_equal(order, names);
}

/* Prepares three tasks and readies them as `how` says: 'r' ready, 'n' ready next. */
static void ready_three(const char *how)
{
    struct task tasks[3];
    char names[] = "abc";
    for (int i = 0; i < 3; i++)
        task_prepare(&tasks[i], note_name, &names[i]);
    struct processor *here = weft_core_enter(weft_current);
    for (int i = 0; i < 3; i++)
        (how[i] == 'r' ? weft_ready : weft_ready_next)(here, tasks[i].coroutine, 0);
    weft_core_leave(weft_current);
    for (int i = 0; i < 3; i++)
        task_join(&tasks[i]);
}

static void test_a_hand_over_runs_before_the_queue(void **state)
{
    (void)state;
    ready_three("rrn");
    assert_string_equal(order, "cab");
}

static void test_of_two_hand_overs_the_second_queues(void **state)
{
    (void)state;
    ready_three("nrn");
    assert_string_equal(order, "abc");
}

static void yield_and_note(void *name)
{
    for (int i = 0; i < 5; i++) {
        note(*(char *)name);
        weft_yield(weft_current);
    }
}

static void test_yields_alternate(void **state)
{
    struct task tasks[3];
    char names[] = "abc";
    (void)state;
    for (int i = 0; i < 3; i++)
        task_start(&tasks[i], yield_and_note, &names[i]);
    for (int i = 0; i < 3; i++)
        task_join(&tasks[i]);
    assert_string_equal(order, "abcabcabcabcabc");
}

static void test_a_yield_says_whether_others_ran(void **state)
{
    struct task task;
    char name = 'a';
    bool alone = true;
    (void)state;
    /* It may also return true to let the loop be polled, but not every time. */
    for (int i = 0; i < 1000; i++)
        alone &= weft_yield(weft_current);
    assert_false(alone);
    task_start(&task, note_name, &name);
    assert_true(weft_yield(weft_current));
    assert_string_equal(order, "a");
    task_join(&task);
}

struct sleeper {
    struct task task;
    struct coroutine *published;
    int result;
    enum weft_state state_in_after, state_after_all;
    enum weft_reason reason_in_after, reason_after_all;
    bool on_other_stack;
    char *frame;
};

static bool abandon_freely(struct coroutine *coroutine)
{
    (void)coroutine;
    return true;
}

static void publish(void *argument)
{
    struct sleeper *sleeper = argument;
    char *here = __builtin_frame_address(0);
    sleeper->published = sleeper->task.coroutine;
    sleeper->state_in_after = sleeper->published->state;
    sleeper->reason_in_after = sleeper->published->reason;
    sleeper->on_other_stack = here > sleeper->frame || here < sleeper->frame - 32 * 1024;
}

static void park_once(void *argument)
{
    struct sleeper *sleeper = argument;
    struct coroutine *self = weft_current;
    weft_core_enter(self);
    weft_park_announce(self, NULL, abandon_freely);
    sleeper->frame = __builtin_frame_address(0);
    sleeper->result = weft_park(self, WEFT_REASON_CHILD, publish, sleeper);
    sleeper->state_after_all = self->state;
    sleeper->reason_after_all = self->reason;
    weft_core_leave(self);
    note('p');
}

static void test_a_park_returns_what_the_waker_passes(void **state)
{
    const int results[] = {0, -EINTR, -ETIMEDOUT};
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct sleeper sleeper = {.result = 1};
        task_start(&sleeper.task, park_once, &sleeper);
        while (!sleeper.published)
            weft_yield(weft_current);
        assert_ptr_equal(sleeper.published, sleeper.task.coroutine);
        assert_int_equal(sleeper.result, 1);
        assert_int_equal(sleeper.state_in_after, WEFT_PARKED);
        assert_int_equal(sleeper.reason_in_after, WEFT_REASON_CHILD);
        assert_true(sleeper.on_other_stack);
        struct processor *here = weft_core_enter(weft_current);
        weft_ready(here, sleeper.published, results[i]);
        assert_int_equal(sleeper.published->state, WEFT_READY);
        weft_core_leave(weft_current);
        task_join(&sleeper.task);
        assert_int_equal(sleeper.result, results[i]);
        assert_int_equal(sleeper.state_after_all, WEFT_RUNNING);
        assert_int_equal(sleeper.reason_after_all, WEFT_REASON_NONE);
    }
}

static void test_what_is_readied_from_outside_runs(void **state)
{
    struct sleeper sleeper = {.result = 1};
    (void)state;
    task_start(&sleeper.task, park_once, &sleeper);
    while (!sleeper.published)
        weft_yield(weft_current);
    weft_ready(NULL, sleeper.published, 0); /* as a kernel thread without a processor does */
    assert_false(weft_global_empty());
    task_join(&sleeper.task);
    assert_int_equal(sleeper.result, 0);
    assert_true(weft_global_empty());
}

static void test_a_coroutine_with_a_home_is_readied_there(void **state)
{
    struct sleeper sleeper = {.result = 1};
    (void)state;
    task_start(&sleeper.task, park_once, &sleeper);
    while (!sleeper.published)
        weft_yield(weft_current);
    sleeper.published->home = &weft_processors[0];
    weft_ready(NULL, sleeper.published, 0);
    assert_true(weft_global_empty());
    assert_ptr_equal(atomic_load(&weft_processors[0].inbox), sleeper.published);
    sleeper.published->home = NULL;
    task_join(&sleeper.task);
    assert_int_equal(sleeper.result, 0);
}

static int64_t deadlines_base;

static void sleep_until_deadline(void *name)
{
    struct coroutine *self = weft_current;
    int64_t deadline = deadlines_base + (*(char *)name - 'a') * INT64_C(2000000);
    struct processor *here = weft_core_enter(self);
    weft_park_announce(self, here, abandon_freely);
    require(weft_deadline_start(self, here, deadline) == 0);
    require(weft_park(self, WEFT_REASON_SLEEP, NULL, NULL) == -ETIMEDOUT);
    require(weft_now() >= deadline);
    require(self->home == NULL); /* taken down by whoever readied it */
    weft_core_leave(self);
    note(*(char *)name);
}

static void test_deadlines_fire_in_their_order(void **state)
{
    struct task tasks[8];
    char names[] = "dhafcgbe";
    (void)state;
    deadlines_base = weft_now() + 5000000;
    for (int i = 0; i < 8; i++)
        task_start(&tasks[i], sleep_until_deadline, &names[i]);
    for (int i = 0; i < 8; i++)
        task_join(&tasks[i]);
    assert_string_equal(order, "abcdefgh");
}

static void test_a_deadline_fires_while_others_yield_all_the_time(void **state)
{
    struct task task;
    char name = 'a';
    (void)state;
    deadlines_base = weft_now() + 2000000;
    task_start(&task, sleep_until_deadline, &name);
    assert_true(task_yield_until(&task.ended, 1));
    task_join(&task);
}

static void test_never_starts_no_timer(void **state)
{
    (void)state;
    struct processor *here = weft_core_enter(weft_current);
    assert_int_equal(weft_deadline_start(weft_current, here, WEFT_NEVER), 0);
    assert_int_equal(here->timers.count, 0);
    assert_null(weft_current->home);
    weft_deadline_stop(weft_current, here);
    weft_core_leave(weft_current);
}

/* Two that hand over to each other all the time must not keep a third from running for long. */
static struct {
    uint32_t turn, stop;
    int hand_overs, when_third_ran;
} game;

static void hand_over_to(uint32_t other, uint32_t mine)
{
    while (!game.stop) {
        while (game.turn != mine && !game.stop)
            weft_futex_wait(weft_current, &game.turn, other, WEFT_FUTEX_ANY, WEFT_NEVER, WEFT_REASON_FUTEX);
        game.hand_overs++;
        if (game.hand_overs == 5000)
            game.stop = 1; /* so that a failure ends */
        game.turn = other;
        weft_futex_wake(weft_current, &game.turn, INT32_MAX, WEFT_FUTEX_ANY);
    }
    /* The other may have answered while the wake stood aside for it, and waits for its turn again. */
    game.turn = other;
    weft_futex_wake(weft_current, &game.turn, INT32_MAX, WEFT_FUTEX_ANY);
}

static void play_even(void *argument)
{
    (void)argument;
    hand_over_to(1, 0);
}

static void play_odd(void *argument)
{
    (void)argument;
    hand_over_to(0, 1);
}

static void interrupt_game(void *argument)
{
    (void)argument;
    game.when_third_ran = game.hand_overs;
    game.stop = 1;
}

static void test_hand_overs_do_not_starve_the_queue(void **state)
{
    struct task even, odd, third;
    (void)state;
    memset(&game, 0, sizeof game);
    task_start(&even, play_even, NULL);
    task_start(&odd, play_odd, NULL);
    while (game.hand_overs < 4) /* from now on they go through run_next */
        weft_yield(weft_current);
    game.hand_overs = 0;
    task_start(&third, interrupt_game, NULL);
    task_join(&third);
    assert_true(game.when_third_ran < 300);
    task_join(&even);
    task_join(&odd);
}

static void nothing(void *argument)
{
    (void)argument;
}

static void test_dispatches_are_counted(void **state)
{
    struct task task;
    char name = 'a';
    (void)state;
    task_prepare(&task, yield_and_note, &name);
    assert_int_equal(task.coroutine->switches, 0);
    struct processor *here = weft_core_enter(weft_current);
    weft_ready(here, task.coroutine, 0);
    weft_core_leave(weft_current);
    while (length < 5)
        weft_yield(weft_current);
    assert_int_equal(task.coroutine->switches, 5);
    task_join(&task);
}

static void test_ten_thousand_lives_one_after_another(void **state)
{
    struct task task;
    (void)state;
    for (int i = 0; i < 10000; i++) {
        task_start(&task, nothing, NULL);
        task_join(&task);
    }
}

static void test_two_thousand_live_at_once(void **state)
{
    enum { MANY = 2000 };
    static struct task tasks[MANY];
    (void)state;
    for (int i = 0; i < MANY; i++)
        task_start(&tasks[i], nothing, NULL);
    for (int i = MANY; i-- > 0;)
        task_join(&tasks[i]);
}

#define ordered(function) cmocka_unit_test_setup_teardown(function, fresh, machine_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ordered(test_ready_coroutines_run_in_the_order_in_which_they_came),
        ordered(test_a_hand_over_runs_before_the_queue),
        ordered(test_of_two_hand_overs_the_second_queues),
        ordered(test_yields_alternate),
        ordered(test_a_yield_says_whether_others_ran),
        ordered(test_a_park_returns_what_the_waker_passes),
        ordered(test_what_is_readied_from_outside_runs),
        ordered(test_a_coroutine_with_a_home_is_readied_there),
        ordered(test_deadlines_fire_in_their_order),
        ordered(test_a_deadline_fires_while_others_yield_all_the_time),
        ordered(test_never_starts_no_timer),
        ordered(test_hand_overs_do_not_starve_the_queue),
        ordered(test_dispatches_are_counted),
        ordered(test_ten_thousand_lives_one_after_another),
        ordered(test_two_thousand_live_at_once),
    };
    return cmocka_run_group_tests(tests, machine_setup, NULL);
}
