/* SPDX-License-Identifier: MIT */
/* Futex queues between coroutines: waits, wakes and deadlines. The results are those of futex(2). */
#include "waiter.h"

static void test_wake_releases_the_oldest_waiter(void **state)
{
    struct waiter waiters[3];
    (void)state;
    start_waiters(waiters, "abc", &word);
    assert_int_equal(wake(&word, 1), 1);
    yield_some();
    assert_string_equal(order, "a");
    assert_int_equal(wake(&word, 1), 1);
    yield_some();
    assert_string_equal(order, "ab");
    assert_int_equal(wake(&word, 1), 1);
    join_all(waiters, 3, 0);
    assert_string_equal(order, "abc");
    assert_int_equal(wake(&word, 1), 0);
}

static void test_wake_releases_as_many_as_asked(void **state)
{
    struct waiter waiters[5];
    (void)state;
    start_waiters(waiters, "abcde", &word);
    assert_int_equal(wake(&word, 3), 3);
    yield_some();
    assert_string_equal(order, "abc");
    assert_int_equal(wake(&word, INT32_MAX), 2);
    join_all(waiters, 5, 0);
    assert_string_equal(order, "abcde");
}

static void test_wake_of_another_address_releases_nobody(void **state)
{
    static uint32_t words[4096]; /* some of which share the bucket of `word` or not */
    struct waiter waiter;
    (void)state;
    start_waiters(&waiter, "a", &word);
    for (size_t i = 0; i < 4096; i++)
        assert_int_equal(wake(&words[i], INT32_MAX), 0);
    assert_int_equal(wake(&other, INT32_MAX), 0);
    assert_int_equal(waiter.result, 99);
    assert_int_equal(wake(&word, 1), 1);
    join_all(&waiter, 1, 0);
}

static void test_only_waiters_whose_bitset_matches_are_released(void **state)
{
    struct waiter waiters[3];
    (void)state;
    start_waiter(&waiters[0], 'a', &word, 1, WEFT_NEVER);
    start_waiter(&waiters[1], 'b', &word, 2, WEFT_NEVER);
    start_waiter(&waiters[2], 'c', &word, 3, WEFT_NEVER);
    assert_int_equal(weft_futex_wake(weft_current, &word, INT32_MAX, 4), 0);
    assert_int_equal(weft_futex_wake(weft_current, &word, INT32_MAX, 2), 2);
    yield_some();
    assert_string_equal(order, "bc");
    assert_int_equal(weft_futex_wake(weft_current, &word, 1, 1), 1);
    join_all(waiters, 3, 0);
}

static void test_another_value_is_eagain(void **state)
{
    (void)state;
    assert_int_equal(weft_futex_wait(weft_current, &word, 1, WEFT_FUTEX_ANY, WEFT_NEVER, WEFT_REASON_FUTEX),
                     -EAGAIN);
    assert_int_equal(weft_futex_wait(weft_current, &word, 1, WEFT_FUTEX_ANY, 1, WEFT_REASON_FUTEX), -EAGAIN);
    assert_int_equal(wake(&word, 1), 0);
}

static void start_prioritized(struct waiter *waiters)
{
    static const uint8_t priorities[] = {0, 10, 30, 0, 20, 30, 10};
    for (int i = 0; i < 7; i++) {
        next_priority = priorities[i];
        start_waiter(&waiters[i], (char)('a' + i), &word, WEFT_FUTEX_ANY, WEFT_NEVER);
    }
    next_priority = 0;
}

static void test_the_highest_priority_is_woken_first(void **state)
{
    struct waiter waiters[7];
    (void)state;
    start_prioritized(waiters);
    for (int i = 0; i < 7; i++) {
        assert_int_equal(wake(&word, 1), 1);
        yield_some();
        assert_int_equal(length, i + 1);
    }
    assert_string_equal(order, "cfebgad");
    join_all(waiters, 7, 0);
}

static void test_prioritized_waiters_leave_from_anywhere(void **state)
{
    static const int leaving[] = {4, 2, 3, 1}; /* from within, the first, the last, from within */
    struct waiter waiters[7];
    (void)state;
    start_prioritized(waiters);
    for (int i = 0; i < 4; i++) {
        struct coroutine *waiter = waiters[leaving[i]].task.coroutine;
        struct processor *here = weft_core_enter(weft_current);
        assert_true(weft_futex_abandon(waiter));
        weft_ready(here, waiter, -EINTR);
        weft_core_leave(weft_current);
        yield_some();
    }
    assert_string_equal(order, "ecdb");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(wake(&word, 1), 1);
        yield_some();
    }
    assert_string_equal(order, "ecdbfga");
    assert_int_equal(wake(&word, 1), 0);
    for (int i = 0; i < 7; i++)
        task_join(&waiters[i].task);
}

static void test_the_woken_goes_before_a_waker_of_lower_priority(void **state)
{
    struct waiter waiter;
    (void)state;
    next_priority = 10;
    start_waiter(&waiter, 'a', &word, WEFT_FUTEX_ANY, WEFT_NEVER);
    next_priority = 0;
    assert_int_equal(wake(&word, 1), 1);
    assert_string_equal(order, "a");
    join_all(&waiter, 1, 0);
}

static void test_deadlines_end_waits_in_their_order(void **state)
{
    struct waiter waiters[5];
    const char names[] = "dbeac";
    int64_t base = weft_now() + 4000000;
    (void)state;
    for (int i = 0; i < 5; i++)
        start_waiter(&waiters[i], names[i], &word, WEFT_FUTEX_ANY,
                     base + (names[i] - 'a') * INT64_C(2000000));
    join_all(waiters, 5, -ETIMEDOUT);
    assert_string_equal(order, "abcde");
    assert_true(weft_now() >= base + INT64_C(8000000));
    assert_int_equal(wake(&word, INT32_MAX), 0); /* nobody is left in the queue */
}

static void test_a_past_deadline_is_etimedout(void **state)
{
    const int64_t past[] = {-1, 0, 1, weft_now() - 1, weft_now()};
    (void)state;
    for (int i = 0; i < 5; i++)
        assert_int_equal(weft_futex_wait(weft_current, &word, 0, WEFT_FUTEX_ANY, past[i], WEFT_REASON_FUTEX),
                         -ETIMEDOUT);
}

static void test_a_wake_before_the_deadline_stops_the_timer(void **state)
{
    struct waiter waiter;
    (void)state;
    start_waiter(&waiter, 'a', &word, WEFT_FUTEX_ANY, weft_now() + INT64_C(3600000000000));
    assert_int_equal(wake(&word, 1), 1);
    join_all(&waiter, 1, 0); /* the teardown finds the heap of timers empty */
}

static void test_of_a_wake_and_a_deadline_one_wins(void **state)
{
    (void)state;
    long woken = 0, timed_out = 0;
    for (int round = 0; round < 300; round++) {
        struct waiter waiter;
        int64_t deadline = weft_now() + 20000;
        start_waiter(&waiter, 'a', &word, WEFT_FUTEX_ANY, deadline);
        length = 0;
        while (weft_now() < deadline + (round % 40 - 20) * 1000)
            __builtin_ia32_pause();
        long count = wake(&word, 1);
        task_join(&waiter.task);
        assert_int_equal(waiter.result, count ? 0 : -ETIMEDOUT);
        woken += count;
        timed_out += !count;
    }
    assert_int_equal(woken + timed_out, 300);
    assert_true(woken > 0);
}

/* A lock whose holder gives it back and takes it again at once, without ever standing aside. */
static uint32_t lock_is_free, lock_was_had;

static void take_the_lock_when_it_is_free(void *argument)
{
    (void)argument;
    while (!lock_is_free)
        require(weft_futex_wait(weft_current, &word, 0, WEFT_FUTEX_ANY, WEFT_NEVER, WEFT_REASON_FUTEX) == 0);
    lock_was_had = 1;
}

static void test_who_is_woken_in_vain_again_and_again_is_let_in(void **state)
{
    enum { MOST_ROUNDS = 64 };
    struct task task;
    int rounds = 0;
    (void)state;
    lock_is_free = lock_was_had = 0;
    task_start(&task, take_the_lock_when_it_is_free, NULL);
    weft_yield(weft_current);
    while (!lock_was_had && rounds < MOST_ROUNDS) {
        rounds++;
        lock_is_free = 1;
        assert_int_equal(wake(&word, 1), 1);
        if (lock_was_had)
            break;
        lock_is_free = 0;
        weft_yield(weft_current); /* it looks, in vain, and waits again */
    }
    assert_in_range(rounds, 2,
                    MOST_ROUNDS - 1); /* barging is what makes locks fast: it is not let in at once */
    task_join(&task);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ordered(test_wake_releases_the_oldest_waiter),
        ordered(test_wake_releases_as_many_as_asked),
        ordered(test_wake_of_another_address_releases_nobody),
        ordered(test_only_waiters_whose_bitset_matches_are_released),
        ordered(test_another_value_is_eagain),
        ordered(test_the_highest_priority_is_woken_first),
        ordered(test_prioritized_waiters_leave_from_anywhere),
        ordered(test_the_woken_goes_before_a_waker_of_lower_priority),
        ordered(test_deadlines_end_waits_in_their_order),
        ordered(test_a_past_deadline_is_etimedout),
        ordered(test_a_wake_before_the_deadline_stops_the_timer),
        ordered(test_of_a_wake_and_a_deadline_one_wins),
        ordered(test_who_is_woken_in_vain_again_and_again_is_let_in),
    };
    return cmocka_run_group_tests(tests, machine_setup, NULL);
}
