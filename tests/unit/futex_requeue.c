/* SPDX-License-Identifier: MIT */
/* FUTEX_REQUEUE and FUTEX_WAKE_OP, which touch two words at once. */
#include "waiter.h"

static void test_requeue_wakes_some_and_moves_some(void **state)
{
    struct waiter waiters[5];
    const uint32_t expected = 0;
    (void)state;
    start_waiters(waiters, "abcde", &word);
    assert_int_equal(weft_futex_requeue(weft_current, &word, 1, 2, &other, &expected), 3);
    yield_some();
    assert_string_equal(order, "a");
    assert_int_equal(wake(&other, INT32_MAX), 2);
    yield_some();
    assert_string_equal(order, "abc");
    assert_int_equal(wake(&word, INT32_MAX), 2);
    join_all(waiters, 5, 0);
    assert_string_equal(order, "abcde");
}

static void test_requeue_compares(void **state)
{
    struct waiter waiter;
    const uint32_t wrong = 1;
    (void)state;
    start_waiters(&waiter, "a", &word);
    assert_int_equal(weft_futex_requeue(weft_current, &word, 1, 1, &other, &wrong), -EAGAIN);
    assert_int_equal(wake(&other, 1), 0);
    assert_int_equal(weft_futex_requeue(weft_current, &word, 0, 1, &other, NULL), 1);
    assert_int_equal(wake(&word, 1), 0);
    assert_int_equal(wake(&other, 1), 1);
    join_all(&waiter, 1, 0);
}

static void test_moved_waiters_stand_behind_the_targets_own(void **state)
{
    struct waiter waiters[4];
    (void)state;
    start_waiters(waiters, "ab", &other);
    start_waiters(waiters + 2, "cd", &word);
    assert_int_equal(weft_futex_requeue(weft_current, &word, 0, INT32_MAX, &other, NULL), 2);
    assert_int_equal(wake(&other, INT32_MAX), 4);
    join_all(waiters, 4, 0);
    assert_string_equal(order, "abcd");
}

static void test_a_moved_waiter_keeps_its_deadline(void **state)
{
    struct waiter waiters[2];
    (void)state;
    start_waiter(&waiters[0], 'a', &word, WEFT_FUTEX_ANY, weft_now() + 5000000);
    start_waiter(&waiters[1], 'b', &word, WEFT_FUTEX_ANY, WEFT_NEVER);
    assert_int_equal(weft_futex_requeue(weft_current, &word, 0, 2, &other, NULL), 2);
    task_join(&waiters[0].task);
    assert_int_equal(waiters[0].result, -ETIMEDOUT);
    assert_int_equal(wake(&other, 2), 1);
    join_all(waiters + 1, 1, 0);
}

static uint32_t encode(int operation, uint32_t argument, int comparison, uint32_t with)
{
    return (uint32_t)operation << 28 | (uint32_t)comparison << 24 | (argument & 0xfff) << 12 | (with & 0xfff);
}

static void test_wake_op_changes_the_second_word(void **state)
{
    const struct {
        uint32_t operation, before, after;
    } cases[] = {
        {encode(FUTEX_OP_SET, 5, 0, 0), 9, 5},
        {encode(FUTEX_OP_ADD, 5, 0, 0), 9, 14},
        {encode(FUTEX_OP_ADD, (uint32_t)-1, 0, 0), 9, 8}, /* the argument is signed */
        {encode(FUTEX_OP_OR, 6, 0, 0), 9, 15},
        {encode(FUTEX_OP_ANDN, 1, 0, 0), 9, 8},
        {encode(FUTEX_OP_XOR, 3, 0, 0), 9, 10},
        {encode(FUTEX_OP_OR | FUTEX_OP_OPARG_SHIFT, 31, 0, 0), 9, 0x80000009},
        {encode(FUTEX_OP_SET | FUTEX_OP_OPARG_SHIFT, 4, 0, 0), 9, 16},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        other = cases[i].before;
        assert_int_equal(weft_futex_wake_op(weft_current, &word, 1, 1, &other, cases[i].operation), 0);
        assert_int_equal(other, cases[i].after);
    }
}

static void test_wake_op_wakes_the_second_when_the_old_value_compares(void **state)
{
    const struct {
        int comparison;
        uint32_t old, with;
        bool holds;
    } cases[] = {
        {FUTEX_OP_CMP_EQ, 3, 3, true},
        {FUTEX_OP_CMP_EQ, 3, 4, false},
        {FUTEX_OP_CMP_NE, 3, 4, true},
        {FUTEX_OP_CMP_NE, 3, 3, false},
        {FUTEX_OP_CMP_LT, 3, 4, true},
        {FUTEX_OP_CMP_LT, 3, 3, false},
        {FUTEX_OP_CMP_LE, 3, 3, true},
        {FUTEX_OP_CMP_LE, 4, 3, false},
        {FUTEX_OP_CMP_GT, 4, 3, true},
        {FUTEX_OP_CMP_GT, 3, 3, false},
        {FUTEX_OP_CMP_GE, 3, 3, true},
        {FUTEX_OP_CMP_GE, 2, 3, false},
        {FUTEX_OP_CMP_LT, (uint32_t)-5, 0, true}, /* signed */
        {FUTEX_OP_CMP_GT, 0, (uint32_t)-1, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct waiter waiters[4];
        word = other = 0;
        start_waiters(waiters, "ab", &word);
        start_waiters(waiters + 2, "cd", &other);
        other = cases[i].old;
        uint32_t operation = encode(FUTEX_OP_SET, 7, cases[i].comparison, cases[i].with);
        assert_int_equal(weft_futex_wake_op(weft_current, &word, 1, 1, &other, operation),
                         cases[i].holds ? 2 : 1);
        assert_int_equal(other, 7);
        assert_int_equal(wake(&word, 5), 1);
        assert_int_equal(wake(&other, 5), cases[i].holds ? 1 : 2);
        join_all(waiters, 4, 0);
    }
}

static void test_an_unknown_wake_op_is_enosys_and_changes_nothing(void **state)
{
    (void)state;
    other = 9;
    assert_int_equal(weft_futex_wake_op(weft_current, &word, 1, 1, &other, encode(5, 1, 0, 0)), -ENOSYS);
    assert_int_equal(weft_futex_wake_op(weft_current, &word, 1, 1, &other, encode(0, 1, 6, 0)), -ENOSYS);
    assert_int_equal(other, 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ordered(test_requeue_wakes_some_and_moves_some),
        ordered(test_requeue_compares),
        ordered(test_moved_waiters_stand_behind_the_targets_own),
        ordered(test_a_moved_waiter_keeps_its_deadline),
        ordered(test_wake_op_changes_the_second_word),
        ordered(test_wake_op_wakes_the_second_when_the_old_value_compares),
        ordered(test_an_unknown_wake_op_is_enosys_and_changes_nothing),
    };
    return cmocka_run_group_tests(tests, machine_setup, NULL);
}
