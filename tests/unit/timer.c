/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <time.h>

#include "../../core/timer.h"

enum { TIMERS = 700, STEPS = 20000 }; /* more than the first capacity of a heap */

static uint64_t seed;

static void test_an_empty_heap_has_no_deadline(void **state)
{
    struct weft_timers timers = {0};
    (void)state;
    assert_true(weft_timers_verify(&timers));
    assert_true(weft_timers_next(&timers) == WEFT_NEVER);
    assert_null(weft_timers_take_due(&timers, WEFT_NEVER));
}

static void test_take_due_returns_the_earliest_first(void **state)
{
    static struct weft_timer timer[TIMERS];
    struct weft_timers timers = {0};
    uint64_t random = seed;
    (void)state;
    for (int i = 0; i < TIMERS; i++)
        assert_int_equal(weft_timers_start(&timers, &timer[i], (int64_t)(unit_random(&random) % 1000)), 0);
    int64_t last = INT64_MIN;
    for (int i = 0; i < TIMERS; i++) {
        int64_t next = weft_timers_next(&timers);
        struct weft_timer *taken = weft_timers_take_due(&timers, 1000);
        assert_non_null(taken);
        assert_true(taken->deadline == next);
        assert_true(taken->deadline >= last);
        assert_int_equal(taken->place, 0);
        assert_true(weft_timers_verify(&timers));
        last = taken->deadline;
    }
    assert_null(weft_timers_take_due(&timers, 1000));
}

static void test_take_due_leaves_what_is_not_due(void **state)
{
    struct weft_timer timer[3] = {{0}};
    struct weft_timers timers = {0};
    (void)state;
    weft_timers_start(&timers, &timer[0], 30);
    weft_timers_start(&timers, &timer[1], 10);
    weft_timers_start(&timers, &timer[2], 20);
    assert_null(weft_timers_take_due(&timers, 9));
    assert_ptr_equal(weft_timers_take_due(&timers, 10), &timer[1]); /* not after `now`: 10 itself is due */
    assert_null(weft_timers_take_due(&timers, 10));
    assert_true(weft_timers_next(&timers) == 20);
    assert_ptr_equal(weft_timers_take_due(&timers, 100), &timer[2]);
    assert_ptr_equal(weft_timers_take_due(&timers, 100), &timer[0]);
}

static void test_stopping_what_is_not_started_is_harmless(void **state)
{
    struct weft_timer started = {0}, unstarted = {0}, taken = {0};
    struct weft_timers timers = {0};
    (void)state;
    weft_timers_stop(&timers, &unstarted);
    weft_timers_start(&timers, &started, 5);
    weft_timers_start(&timers, &taken, 1);
    weft_timers_stop(&timers, &unstarted);
    assert_ptr_equal(weft_timers_take_due(&timers, 1), &taken);
    weft_timers_stop(&timers, &taken);
    assert_int_equal(timers.count, 1);
    assert_true(weft_timers_verify(&timers));
    weft_timers_stop(&timers, &started);
    weft_timers_stop(&timers, &started);
    assert_int_equal(timers.count, 0);
}

/* Against a model: an array of deadlines. */
static void test_random_starts_and_stops_keep_the_heap_in_order(void **state)
{
    static struct weft_timer timer[TIMERS];
    static int64_t model[TIMERS]; /* WEFT_NEVER: not started */
    struct weft_timers timers = {0};
    uint64_t random = seed;
    size_t started = 0;
    (void)state;
    for (int i = 0; i < TIMERS; i++)
        model[i] = WEFT_NEVER;
    for (int step = 0; step < STEPS; step++) {
        int i = (int)(unit_random(&random) % TIMERS);
        unsigned grow = step / 2000 % 2 ? 3 : 7; /* of 10: the heap swells and shrinks */
        if (unit_random(&random) % 10 < grow) {
            if (model[i] == WEFT_NEVER) {
                model[i] = (int64_t)(unit_random(&random) % 500);
                assert_int_equal(weft_timers_start(&timers, &timer[i], model[i]), 0);
                started++;
            }
        } else if (unit_random(&random) % 4) {
            weft_timers_stop(&timers, &timer[i]);
            started -= model[i] != WEFT_NEVER;
            model[i] = WEFT_NEVER;
        } else {
            int64_t now = (int64_t)(unit_random(&random) % 500), least = WEFT_NEVER;
            for (int k = 0; k < TIMERS; k++)
                if (model[k] < least)
                    least = model[k];
            struct weft_timer *due = weft_timers_take_due(&timers, now);
            assert_int_equal(due != NULL, least <= now);
            if (due) {
                assert_true(due->deadline == least);
                assert_true(model[due - timer] == least);
                model[due - timer] = WEFT_NEVER;
                started--;
            }
        }
        assert_true(weft_timers_verify(&timers));
        assert_int_equal(timers.count, started);
        assert_int_equal(timer[i].place != 0, model[i] != WEFT_NEVER);
    }
}

static void test_verify_sees_a_broken_heap(void **state)
{
    struct weft_timer timer[9] = {{0}};
    struct weft_timers timers = {0};
    (void)state;
    for (int i = 0; i < 9; i++)
        weft_timers_start(&timers, &timer[i], i);
    assert_true(weft_timers_verify(&timers));
    timer[8].deadline = -1;
    assert_false(weft_timers_verify(&timers));
    timer[8].deadline = 8;
    timer[4].place++;
    assert_false(weft_timers_verify(&timers));
}

static void test_now_is_the_monotonic_clock_in_nanoseconds(void **state)
{
    struct timespec before, after;
    (void)state;
    clock_gettime(CLOCK_MONOTONIC, &before);
    int64_t now = weft_now();
    clock_gettime(CLOCK_MONOTONIC, &after);
    assert_true(now >= before.tv_sec * INT64_C(1000000000) + before.tv_nsec);
    assert_true(now <= after.tv_sec * INT64_C(1000000000) + after.tv_nsec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_empty_heap_has_no_deadline),
        cmocka_unit_test(test_take_due_returns_the_earliest_first),
        cmocka_unit_test(test_take_due_leaves_what_is_not_due),
        cmocka_unit_test(test_stopping_what_is_not_started_is_harmless),
        cmocka_unit_test(test_random_starts_and_stops_keep_the_heap_in_order),
        cmocka_unit_test(test_verify_sees_a_broken_heap),
        cmocka_unit_test(test_now_is_the_monotonic_clock_in_nanoseconds),
    };
    seed = unit_seed();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
