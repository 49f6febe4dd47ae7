/* SPDX-License-Identifier: MIT */
/* Who gets what is sent to the process, masks, and what kernel threads block. */
#include "receiver.h"

#include <errno.h>
#include <sys/types.h>
#include <unistd.h>

#define BIT(number) weft_signal_bit(number)

static bool is_told(const struct receiver *receiver)
{
    return receiver->task.coroutine->state == WEFT_READY;
}

static void test_main_is_preferred(void **state)
{
    struct receiver other;
    (void)state;
    receiver_start(&other, 0, 0);
    weft_signal_mask_set(weft_current, ALL_SIGNALS & ~BIT(SIGUSR1));
    signal_send(0, SIGUSR1, 0);
    assert_int_equal(weft_current->signal_due, 1);
    assert_false(is_told(&other));
    assert_int_equal(signal_take(ALL_SIGNALS, NULL), SIGUSR1);
    assert_int_equal(receiver_release(&other), 0);
}

static void test_one_that_does_not_block_it_is_chosen(void **state)
{
    struct receiver blocks, can;
    (void)state;
    receiver_start(&blocks, ALL_SIGNALS, 0);
    receiver_start(&can, ALL_SIGNALS & ~BIT(SIGUSR1), 0);
    signal_send(0, SIGUSR1, 0);
    assert_false(is_told(&blocks));
    assert_true(is_told(&can));
    assert_int_equal(receiver_release(&can), 1);
    assert_int_equal(receiver_release(&blocks), 0);
}

static void test_one_that_waits_for_it_is_chosen_before_a_handlers(void **state)
{
    struct receiver handler, waiter;
    uint64_t all;
    (void)state;
    receiver_start(&handler, 0, 0);
    receiver_start(&waiter, ALL_SIGNALS, 0);
    assert_true(weft_signal_wait_begin(waiter.task.coroutine, BIT(SIGUSR1), &all));
    signal_send(0, SIGUSR2, 0); /* nothing that it waits for */
    assert_false(is_told(&waiter));
    assert_true(is_told(&handler));
    signal_send(0, SIGUSR1, 0);
    assert_true(is_told(&waiter));
    assert_int_equal(signal_take(BIT(SIGUSR1), NULL), SIGUSR1);
    weft_signal_wait_end(waiter.task.coroutine);
    assert_int_equal(receiver_release(&handler), 1);
    assert_int_equal(receiver_release(&waiter), 0);
}

static void test_what_is_there_needs_no_wait_and_all_waits_are_told(void **state)
{
    struct receiver other;
    uint64_t all = 0;
    (void)state;
    receiver_start(&other, ALL_SIGNALS, 0);
    assert_true(weft_signal_wait_begin(other.task.coroutine, BIT(SIGUSR1), &all));
    assert_int_equal(all, BIT(SIGUSR1));
    assert_true(weft_signal_wait_begin(weft_current, BIT(SIGUSR2), &all));
    assert_int_equal(all, BIT(SIGUSR1) | BIT(SIGUSR2));
    weft_signal_wait_end(other.task.coroutine);
    weft_signal_wait_end(weft_current);
    signal_send(0, SIGUSR2, 0);
    assert_false(weft_signal_wait_begin(weft_current, BIT(SIGUSR2) | BIT(SIGUSR1), &all));
    assert_int_equal(signal_take(BIT(SIGUSR2), NULL), SIGUSR2);
    receiver_release(&other);
}

/* One of two who wait was told and ends its wait without having taken it: the other is told. */
static void test_a_waiter_that_goes_away_passes_it_on(void **state)
{
    struct receiver first, second;
    uint64_t all;
    (void)state;
    receiver_start(&first, ALL_SIGNALS, 0);
    receiver_start(&second, ALL_SIGNALS, 0);
    assert_true(weft_signal_wait_begin(first.task.coroutine, BIT(SIGUSR1), &all));
    assert_true(weft_signal_wait_begin(second.task.coroutine, BIT(SIGUSR1), &all));
    signal_send(0, SIGUSR1, 0);
    struct receiver *told = is_told(&first) ? &first : &second, *other = told == &first ? &second : &first;
    assert_true(is_told(told));
    assert_false(is_told(other));
    weft_signal_wait_end(told->task.coroutine);
    assert_true(weft_signals_arrived); /* or nobody would distribute */
    signals_distribute();
    assert_true(is_told(other));
    weft_signal_wait_end(other->task.coroutine);
    assert_int_equal(signal_take(BIT(SIGUSR1), NULL), SIGUSR1);
    receiver_release(&first);
    receiver_release(&second);
}

static void test_what_all_block_waits_for_who_unblocks_it(void **state)
{
    struct receiver other;
    (void)state;
    receiver_start(&other, ALL_SIGNALS, 0);
    signal_send(0, SIGUSR1, 0);
    assert_false(is_told(&other));
    assert_int_equal(weft_current->signal_due, 0);
    weft_signal_mask_set(weft_current, ALL_SIGNALS & ~BIT(SIGUSR2));
    weft_signal_mask_set(weft_current, ALL_SIGNALS & ~BIT(SIGUSR1));
    assert_int_equal(weft_current->signal_due, 1);
    assert_int_equal(signal_take(BIT(SIGUSR1), NULL), SIGUSR1);
    assert_int_equal(receiver_release(&other), 0);
}

/* Main was told and blocks the signal before it looks. */
static void test_who_blocks_it_passes_it_on(void **state)
{
    struct receiver other;
    (void)state;
    receiver_start(&other, 0, 0);
    weft_signal_mask_set(weft_current, 0);
    signal_send(0, SIGUSR1, 0);
    assert_false(is_told(&other));
    weft_signal_mask_set(weft_current, ALL_SIGNALS);
    assert_true(weft_signals_arrived); /* or nobody would distribute */
    signals_distribute();
    assert_true(is_told(&other));
    assert_int_equal(receiver_release(&other), 1);
}

/* One was told and ends. */
static void test_who_ends_passes_it_on(void **state)
{
    struct coroutine *ending = weft_coroutine_take(NULL, 0);
    struct receiver other;
    (void)state;
    weft_signal_mask_begin(ending, 0);
    signal_send(0, SIGUSR1, 0);
    assert_int_equal(ending->signal_due, 1);
    receiver_start(&other, 0, 0);
    assert_false(is_told(&other));
    weft_signal_mask_end(ending);
    assert_true(weft_signals_arrived); /* or nobody would distribute */
    signals_distribute();
    assert_true(is_told(&other));
    assert_int_equal(receiver_release(&other), 1);
    ending->state = WEFT_DEAD;
    weft_coroutine_give(NULL, ending);
}

static uint64_t mask_of_this_kernel_thread(void)
{
    uint64_t mask;
    weft_raw4(SYS_rt_sigprocmask, 0, 0, (long)&mask, sizeof mask);
    return mask;
}

static void test_the_kernel_blocks_what_all_block(void **state)
{
    struct receiver other;
    (void)state;
    receiver_start(&other, BIT(SIGUSR1) | BIT(SIGUSR2), 0);
    weft_signal_mask_set(weft_current, BIT(SIGUSR1) | BIT(SIGTERM) | BIT(SIGPIPE));
    assert_int_equal(weft_signal_kernel_mask(), BIT(SIGUSR1));
    assert_int_equal(mask_of_this_kernel_thread(), BIT(SIGUSR1));
    weft_signal_mask_add(weft_current, BIT(SIGUSR2)); /* while a handler runs: the kernel does not follow */
    assert_int_equal(weft_signal_kernel_mask(), BIT(SIGUSR1));
    weft_signal_mask_set(weft_current, 0);
    assert_int_equal(weft_signal_kernel_mask(), 0);
    weft_signal_mask_set(weft_current, BIT(SIGTERM));
    receiver_release(&other); /* its mask counts no more */
    assert_int_equal(weft_signal_kernel_mask(), BIT(SIGTERM));
    assert_int_equal(mask_of_this_kernel_thread(), BIT(SIGTERM));
}

/* glibc blocks everything, its own two too, around the making and the end of a thread. */
static void test_the_mask_of_a_thread_being_made_does_not_count(void **state)
{
    (void)state;
    weft_signal_mask_set(weft_current, BIT(SIGUSR1));
    weft_signal_mask_set(weft_current, ~UINT64_C(0));
    assert_int_equal(weft_signal_kernel_mask(), BIT(SIGUSR1));
    weft_signal_mask_set(weft_current, BIT(SIGUSR1));
    assert_int_equal(weft_signal_kernel_mask(), BIT(SIGUSR1));
}

/* More masks than are told apart: nobody is lost, and the kernel blocks nothing then. */
static void test_a_hundred_different_masks(void **state)
{
    enum { MANY = 100 };
    struct coroutine *many[MANY];
    (void)state;
    for (int i = 0; i < MANY; i++) {
        many[i] = weft_coroutine_take(NULL, 0);
        weft_signal_mask_begin(many[i], ALL_SIGNALS & ~(UINT64_C(1) << (i % 7 + 33)) & ~(uint64_t)(i / 7));
    }
    weft_signal_mask_set(weft_current, ALL_SIGNALS);
    assert_int_equal(weft_signal_kernel_mask(), 0);
    for (int number = 34; number < 41; number++) {
        signal_send(0, number, 0);
        int due = 0;
        for (int i = 0; i < MANY; i++)
            if (many[i]->signal_due) {
                assert_int_equal(many[i]->signal_mask & BIT(number), 0);
                many[i]->signal_due = 0;
                due++;
            }
        assert_int_equal(due, 1);
        assert_int_equal(signal_take(BIT(number), NULL), number);
    }
    for (int i = 0; i < MANY; i++) {
        weft_signal_mask_end(many[i]);
        many[i]->state = WEFT_DEAD;
        weft_coroutine_give(NULL, many[i]);
    }
    assert_int_equal(weft_signal_kernel_mask(), ALL_SIGNALS & ~BIT(SIGPIPE) & ~BIT(SIGXFSZ));
}

static void test_what_waits_in_the_kernel_is_fetched_by_who_unblocks_it(void **state)
{
    siginfo_t info;
    (void)state;
    assert_int_equal(kill(getpid(), SIGUSR1), 0);
    assert_int_equal(weft_signals_queued(), 0);
    weft_signal_mask_set(weft_current, ALL_SIGNALS & ~BIT(SIGUSR1));
    assert_int_equal(weft_current->signal_due, 1);
    signals_distribute();
    assert_true(weft_signal_next(weft_current, BIT(SIGUSR1), &info));
    assert_int_equal(info.si_code, SI_USER);
    assert_int_equal(info.si_pid, getpid());
}

static void test_arrivals_are_distributed_in_their_order(void **state)
{
    struct receiver other;
    bool scarce;
    int value;
    (void)state;
    receiver_start(&other, ALL_SIGNALS, 0);
    for (int i = 0; i < 4; i++) {
        siginfo_t info = {.si_signo = 40, .si_code = SI_QUEUE};
        info.si_value.sival_int = i;
        struct weft_signal *record = weft_signal_take(&info, i == 3 ? other.task.coroutine->tid : 0, &scarce);
        assert_non_null(record);
        assert_false(scarce);
        weft_signal_leave(record);
    }
    assert_true(weft_signals_arrived);
    signals_distribute();
    assert_false(weft_signals_arrived);
    assert_int_equal(weft_signals_pending(other.task.coroutine), BIT(40));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(signal_take(BIT(40), &value), 40);
        assert_int_equal(value, i);
    }
    assert_int_equal(signal_take(BIT(40), &value), 0); /* the fourth is the other's */
    receiver_release(&other);
}

static void test_records_are_scarce_before_they_are_used_up(void **state)
{
    enum { MORE = 4096 };
    const siginfo_t info = {.si_signo = 40, .si_code = SI_QUEUE};
    int taken = 0, before_scarce = -1;
    bool scarce = false;
    struct weft_signal *record;
    (void)state;
    while (taken < MORE && (record = weft_signal_take(&info, 0, &scarce))) {
        if (scarce && before_scarce < 0)
            before_scarce = taken;
        taken++;
        weft_signal_leave(record);
    }
    assert_in_range(taken, 1, MORE - 1);
    assert_in_range(before_scarce, 1, taken - 1);
    signals_distribute();
    assert_int_equal(weft_signals_queued(), taken);
    for (int i = 0; i < taken; i++)
        assert_int_equal(signal_take(BIT(40), NULL), 40);
    assert_non_null(record = weft_signal_take(&info, 0, &scarce)); /* they can be had again */
    assert_false(scarce);
    weft_signal_leave(record);
    signals_distribute();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        receiver_test(test_main_is_preferred),
        receiver_test(test_one_that_does_not_block_it_is_chosen),
        receiver_test(test_one_that_waits_for_it_is_chosen_before_a_handlers),
        receiver_test(test_what_is_there_needs_no_wait_and_all_waits_are_told),
        receiver_test(test_a_waiter_that_goes_away_passes_it_on),
        receiver_test(test_what_all_block_waits_for_who_unblocks_it),
        receiver_test(test_who_blocks_it_passes_it_on),
        receiver_test(test_who_ends_passes_it_on),
        receiver_test(test_the_kernel_blocks_what_all_block),
        receiver_test(test_the_mask_of_a_thread_being_made_does_not_count),
        receiver_test(test_a_hundred_different_masks),
        receiver_test(test_what_waits_in_the_kernel_is_fetched_by_who_unblocks_it),
        receiver_test(test_arrivals_are_distributed_in_their_order),
        receiver_test(test_records_are_scarce_before_they_are_used_up),
    };
    return cmocka_run_group_tests(tests, receiver_setup, NULL);
}
