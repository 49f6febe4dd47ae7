/* SPDX-License-Identifier: MIT */
/* Priority-inheritance locks between coroutines. */
#include "waiter.h"

static void test_pi_locks_are_handed_over_in_order(void **state)
{
    struct owner owners[3];
    uint32_t id = (uint32_t)weft_current->tid;
    (void)state;
    assert_int_equal(weft_futex_lock_pi(weft_current, &word, WEFT_NEVER, false), 0);
    assert_int_equal(word, id);
    for (int i = 0; i < 3; i++)
        start_owner(&owners[i], (char)('a' + i), WEFT_NEVER, false);
    assert_int_equal(word, id | FUTEX_WAITERS);
    assert_string_equal(order, "");
    uint32_t ids[3];
    for (int i = 0; i < 3; i++)
        ids[i] = (uint32_t)owners[i].task.coroutine->tid;
    assert_int_equal(weft_futex_unlock_pi(weft_current, &word), 0);
    assert_int_equal(word, ids[0] | FUTEX_WAITERS); /* the new owner stands there before it runs */
    for (int i = 0; i < 3; i++) {
        task_join(&owners[i].task);
        assert_int_equal(owners[i].locked, 0);
        assert_int_equal(owners[i].unlocked, 0);
        assert_int_equal(owners[i].word_when_held, ids[i] | (i < 2 ? FUTEX_WAITERS : 0));
    }
    assert_string_equal(order, "abc");
    assert_int_equal(word, 0);
}

static void test_pi_errors(void **state)
{
    struct owner owner;
    (void)state;
    assert_int_equal(weft_futex_unlock_pi(weft_current, &word), -EPERM);
    assert_int_equal(weft_futex_lock_pi(weft_current, &word, WEFT_NEVER, false), 0);
    assert_int_equal(weft_futex_lock_pi(weft_current, &word, WEFT_NEVER, false), -EDEADLK);
    assert_int_equal(weft_futex_lock_pi(weft_current, &word, WEFT_NEVER, true), -EDEADLK);
    start_owner(&owner, 'a', WEFT_NEVER, true);
    task_join(&owner.task);
    assert_int_equal(owner.locked, -EAGAIN);
    start_owner(&owner, 'b', weft_now() + 3000000, false);
    task_join(&owner.task);
    assert_int_equal(owner.locked, -ETIMEDOUT);
    assert_int_equal(word & FUTEX_TID_MASK, weft_current->tid);
    assert_int_equal(weft_futex_unlock_pi(weft_current, &word), 0);
    assert_int_equal(word, 0);
}

static void test_a_free_pi_lock_keeps_the_owner_died_bit(void **state)
{
    (void)state;
    word = FUTEX_OWNER_DIED;
    assert_int_equal(weft_futex_lock_pi(weft_current, &word, WEFT_NEVER, true), 0);
    assert_int_equal(word, (uint32_t)weft_current->tid | FUTEX_OWNER_DIED);
    assert_int_equal(weft_futex_unlock_pi(weft_current, &word), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ordered(test_pi_locks_are_handed_over_in_order),
        ordered(test_pi_errors),
        ordered(test_a_free_pi_lock_keeps_the_owner_died_bit),
    };
    return cmocka_run_group_tests(tests, machine_setup, NULL);
}
