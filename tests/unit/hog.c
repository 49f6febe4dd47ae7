/* SPDX-License-Identifier: MIT */
/* How many hogs go on at once, on one processor. All in core, so that nobody else takes from the global
 * queue. */
#include "machine.h"

#include "../../core/hog.h"

enum { HOGS = 4 };

static struct coroutine *hogs[HOGS];

static int take_hogs(void **state)
{
    (void)state;
    for (int i = 0; i < HOGS; i++) {
        hogs[i] = weft_coroutine_take(NULL, 0);
        if (!hogs[i])
            return -1;
        hogs[i]->state = WEFT_READY;
    }
    weft_core_enter(weft_current);
    return 0;
}

static int give_hogs(void **state)
{
    for (int i = 0; i < HOGS; i++) {
        weft_hog_return(hogs[i]);
        while (weft_global_take())
            continue;
        hogs[i]->state = WEFT_DEAD;
        weft_coroutine_give(NULL, hogs[i]);
    }
    weft_core_leave(weft_current);
    return machine_teardown(state);
}

static void test_one_goes_on_and_the_next_when_it_returns(void **state)
{
    (void)state;
    assert_true(weft_hog_admit(hogs[0]));
    assert_true(weft_hog_admit(hogs[0]));
    for (int i = 1; i < HOGS; i++) {
        assert_false(weft_hog_admit(hogs[i]));
        weft_hog_wait(hogs[i]);
    }
    assert_null(weft_global_take());
    for (int i = 1; i < HOGS; i++) {
        weft_hog_return(hogs[i - 1]);
        assert_ptr_equal(weft_global_take(), hogs[i]); /* in their order, each once */
        assert_null(weft_global_take());
        assert_true(weft_hog_admit(hogs[i]));
    }
    weft_hog_return(hogs[HOGS - 1]);
    assert_true(weft_hog_admit(hogs[0]));
}

static void test_one_that_returned_was_not_admitted_twice(void **state)
{
    (void)state;
    assert_true(weft_hog_admit(hogs[0]));
    weft_hog_return(hogs[1]);
    assert_false(weft_hog_admit(hogs[1]));
    weft_hog_return(hogs[0]);
    weft_hog_return(hogs[0]);
    assert_true(weft_hog_admit(hogs[1]));
    assert_false(weft_hog_admit(hogs[2]));
}

static void test_who_returns_before_the_other_waits_is_not_missed(void **state)
{
    (void)state;
    assert_true(weft_hog_admit(hogs[0]));
    assert_false(weft_hog_admit(hogs[1]));
    weft_hog_return(hogs[0]);
    weft_hog_wait(hogs[1]);
    assert_ptr_equal(weft_global_take(), hogs[1]);
}

static void test_the_monitor_lets_one_more_go_after_a_while(void **state)
{
    (void)state;
    assert_false(weft_hogs_look(weft_now()));
    int64_t before = weft_now();
    assert_true(weft_hog_admit(hogs[0]));
    weft_hog_wait(hogs[1]);
    weft_hog_wait(hogs[2]);
    assert_true(weft_hogs_look(before));
    assert_null(weft_global_take());
    assert_true(weft_hogs_look(weft_now() + WEFT_HOG_PATIENCE));
    assert_ptr_equal(weft_global_take(), hogs[1]);
    assert_true(weft_hogs_look(before + WEFT_HOG_PATIENCE / 2)); /* it was admitted just now */
    assert_null(weft_global_take());
    weft_hog_return(hogs[0]); /* one is still one */
    assert_null(weft_global_take());
    weft_hog_return(hogs[1]);
    assert_ptr_equal(weft_global_take(), hogs[2]);
    assert_false(weft_hogs_look(weft_now()));
}

static void test_what_has_a_priority_does_not_wait(void **state)
{
    (void)state;
    assert_true(weft_hog_admit(hogs[0]));
    hogs[1]->priority = 1;
    assert_true(weft_hog_admit(hogs[1]));
    hogs[1]->priority = 0;
}

#define hog_test(function) cmocka_unit_test_setup_teardown(function, take_hogs, give_hogs)

int main(void)
{
    const struct CMUnitTest tests[] = {
        hog_test(test_one_goes_on_and_the_next_when_it_returns),
        hog_test(test_one_that_returned_was_not_admitted_twice),
        hog_test(test_who_returns_before_the_other_waits_is_not_missed),
        hog_test(test_the_monitor_lets_one_more_go_after_a_while),
        hog_test(test_what_has_a_priority_does_not_wait),
    };
    return cmocka_run_group_tests(tests, machine_setup, NULL);
}
