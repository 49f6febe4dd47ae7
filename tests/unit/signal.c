/* SPDX-License-Identifier: MIT */
/* The queues of signals: what waits for whom, in which order it is taken, and whose wait it ends. */
#include "receiver.h"

#include <errno.h>

#define BIT(number) weft_signal_bit(number)

static int self_tid(void)
{
    return weft_current->tid;
}

static void test_real_time_signals_queue_by_number_then_by_age(void **state)
{
    const int sent[][2] = {{40, 1}, {36, 2}, {40, 3}, {36, 4}, {SIGUSR1, 5}};
    const int expected[][2] = {{SIGUSR1, 5}, {36, 2}, {36, 4}, {40, 1}, {40, 3}};
    int value;
    (void)state;
    for (int i = 0; i < 5; i++)
        assert_int_equal(signal_send(self_tid(), sent[i][0], sent[i][1]), 0);
    assert_int_equal(weft_signals_queued(), 5);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(signal_take(ALL_SIGNALS, &value), expected[i][0]);
        assert_int_equal(value, expected[i][1]);
    }
    assert_int_equal(signal_take(ALL_SIGNALS, &value), 0);
}

static void test_a_standard_signal_waits_once_with_what_came_first(void **state)
{
    int value;
    (void)state;
    for (int target = 0; target < 2; target++) { /* the process's queue, and a thread's */
        int tid = target ? self_tid() : 0;
        signal_send(tid, SIGUSR1, 1);
        signal_send(tid, SIGUSR1, 2);
        assert_int_equal(weft_signals_queued(), 1);
        assert_int_equal(signal_take(ALL_SIGNALS, &value), SIGUSR1);
        assert_int_equal(value, 1);
        assert_int_equal(signal_take(ALL_SIGNALS, NULL), 0);
    }
}

static void test_faults_are_taken_before_lower_numbers(void **state)
{
    (void)state;
    signal_send(self_tid(), SIGHUP, 0);
    signal_send(self_tid(), 40, 0);
    signal_send(self_tid(), SIGSEGV, 0);
    assert_int_equal(signal_take(ALL_SIGNALS, NULL), SIGSEGV);
    assert_int_equal(signal_take(ALL_SIGNALS, NULL), SIGHUP);
    assert_int_equal(signal_take(ALL_SIGNALS, NULL), 40);
}

static void test_a_threads_own_are_taken_before_the_processs(void **state)
{
    (void)state;
    signal_send(0, SIGHUP, 0);
    signal_send(self_tid(), 40, 0);
    assert_int_equal(signal_take(ALL_SIGNALS, NULL), 40);
    assert_int_equal(signal_take(ALL_SIGNALS, NULL), SIGHUP);
}

static void test_only_the_set_is_taken_and_the_rest_is_pending(void **state)
{
    (void)state;
    signal_send(self_tid(), SIGUSR1, 0);
    signal_send(0, SIGUSR2, 0);
    assert_int_equal(weft_signals_pending(weft_current), BIT(SIGUSR1) | BIT(SIGUSR2));
    assert_int_equal(signal_take(BIT(SIGTERM), NULL), 0);
    assert_int_equal(signal_take(BIT(SIGUSR2), NULL), SIGUSR2);
    assert_int_equal(weft_signals_pending(weft_current), BIT(SIGUSR1));
    assert_int_equal(signal_take(BIT(SIGUSR1), NULL), SIGUSR1);
    assert_int_equal(weft_signals_pending(weft_current), 0);
}

static void send_of_timer(int timer, int overrun)
{
    siginfo_t info = {.si_signo = 40, .si_code = SI_TIMER};
    info.si_timerid = timer;
    info.si_overrun = overrun;
    struct processor *here = weft_core_enter(weft_current);
    require(weft_signal_send(here, self_tid(), &info) == 0);
    weft_core_leave(weft_current);
}

static void test_expirations_of_one_timer_are_counted_in_one_signal(void **state)
{
    siginfo_t info;
    (void)state;
    send_of_timer(7, 0);
    send_of_timer(8, 0);
    send_of_timer(7, 2);
    assert_int_equal(weft_signals_queued(), 2);
    assert_true(weft_signal_next(weft_current, ALL_SIGNALS, &info));
    assert_int_equal(info.si_timerid, 7);
    assert_int_equal(info.si_overrun, 3);
    assert_true(weft_signal_next(weft_current, ALL_SIGNALS, &info));
    assert_int_equal(info.si_timerid, 8);
    assert_int_equal(info.si_overrun, 0);
}

static void test_what_is_ignored_from_now_on_is_gone_from_all_queues(void **state)
{
    struct receiver other;
    (void)state;
    receiver_start(&other, ALL_SIGNALS, 0);
    signal_send(0, 40, 0);
    signal_send(self_tid(), 40, 0);
    signal_send(self_tid(), SIGUSR1, 0);
    signal_send(other.task.coroutine->tid, 40, 0);
    weft_signals_discard(40);
    assert_int_equal(weft_signals_queued(), 1);
    assert_int_equal(signal_take(ALL_SIGNALS, NULL), SIGUSR1);
    assert_int_equal(receiver_release(&other), 0);
}

static void test_a_thread_that_has_ended_is_esrch_and_its_signals_are_gone(void **state)
{
    struct receiver other;
    (void)state;
    receiver_start(&other, ALL_SIGNALS, 0);
    int tid = other.task.coroutine->tid;
    assert_int_equal(signal_send(tid, 40, 0), 0);
    assert_int_equal(signal_send(tid, 40, 1), 0);
    assert_int_equal(weft_signals_queued(), 2);
    assert_int_equal(receiver_release(&other), 0);
    assert_int_equal(weft_signals_queued(), 0);
    assert_int_equal(signal_send(tid, 40, 2), -ESRCH);
    assert_int_equal(signal_send(1 << 29, 40, 2), -ESRCH);
    assert_int_equal(weft_signals_queued(), 0);
}

/* Between the end of its mask and of its id a thread takes nothing any more. */
static void test_a_thread_that_is_ending_is_esrch(void **state)
{
    struct coroutine *coroutine = weft_coroutine_take(NULL, 0);
    (void)state;
    weft_signal_mask_begin(coroutine, ALL_SIGNALS);
    assert_int_equal(signal_send(coroutine->tid, 40, 0), 0);
    weft_signal_mask_end(coroutine);
    assert_int_equal(weft_signals_queued(), 0);
    assert_int_equal(signal_send(coroutine->tid, 40, 0), -ESRCH);
    coroutine->state = WEFT_DEAD;
    weft_coroutine_give(NULL, coroutine);
}

static void test_a_signal_ends_a_wait_without_a_deadline(void **state)
{
    struct receiver other;
    (void)state;
    receiver_start(&other, 0, 0);
    assert_int_equal(signal_send(other.task.coroutine->tid, SIGUSR1, 0), 0);
    assert_int_equal(other.task.coroutine->state, WEFT_READY);
    assert_int_equal(receiver_release(&other), 1);
    assert_int_equal(other.result, -EINTR);
    assert_int_equal(other.taken[0], SIGUSR1);
}

static void test_a_signal_ends_a_wait_with_a_deadline_and_its_timer(void **state)
{
    struct receiver other;
    (void)state;
    receiver_start(&other, 0, INT64_C(100000000000));
    assert_int_equal(weft_processors[0].timers.count, 1);
    assert_int_equal(signal_send(other.task.coroutine->tid, SIGUSR1, 0), 0);
    assert_int_equal(weft_processors[0].timers.count, 0);
    assert_int_equal(receiver_release(&other), 1);
    assert_int_equal(other.result, -EINTR);
}

static void test_a_blocked_signal_ends_no_wait(void **state)
{
    struct receiver other;
    (void)state;
    receiver_start(&other, BIT(SIGUSR1), 0);
    assert_int_equal(signal_send(other.task.coroutine->tid, SIGUSR1, 0), 0);
    assert_int_equal(other.task.coroutine->state, WEFT_PARKED);
    assert_int_equal(other.task.coroutine->signal_due, 0);
    assert_int_equal(receiver_release(&other), 0);
    assert_int_equal(other.result, 0);
}

static void test_two_signals_end_a_wait_once_and_both_are_taken(void **state)
{
    struct receiver other;
    (void)state;
    receiver_start(&other, 0, 0);
    signal_send(other.task.coroutine->tid, SIGUSR2, 0);
    signal_send(other.task.coroutine->tid, SIGUSR1, 0);
    assert_int_equal(receiver_release(&other), 2);
    assert_int_equal(other.taken[0], SIGUSR1);
    assert_int_equal(other.taken[1], SIGUSR2);
}

/* One that runs is told by signal_due; its next wait does not last. */
static void test_a_signal_for_oneself_ends_the_next_wait(void **state)
{
    uint32_t word = 0;
    (void)state;
    weft_signal_mask_set(weft_current, 0);
    signal_send(self_tid(), SIGUSR1, 0);
    assert_int_equal(weft_current->signal_due, 1);
    assert_int_equal(weft_futex_wait(weft_current, &word, 0, WEFT_FUTEX_ANY, WEFT_NEVER, WEFT_REASON_FUTEX),
                     -EINTR);
    assert_int_equal(signal_take(ALL_SIGNALS, NULL), SIGUSR1);
}

/* It was left to the kernel while all blocked it, and came there when one no longer did. */
static void test_what_came_too_late_for_who_unblocked_it_is_fetched_by_its_sender(void **state)
{
    uint64_t bit = BIT(SIGUSR1), before;
    (void)state;
    weft_signal_mask_set(weft_current, 0);
    assert_int_equal(weft_signal_kernel_mask() & bit, 0);
    weft_raw4(SYS_rt_sigprocmask, SIG_BLOCK, (long)&bit, (long)&before, sizeof bit);
    assert_int_equal(kill(getpid(), SIGUSR1), 0);
    weft_signals_settle(weft_current);
    assert_int_equal(signal_take(bit, NULL), 0);
    weft_signal_mask_sent(bit);
    weft_signals_settle(weft_current);
    assert_int_equal(signal_take(bit, NULL), SIGUSR1);
    weft_raw4(SYS_rt_sigprocmask, SIG_SETMASK, (long)&before, 0, sizeof before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        receiver_test(test_real_time_signals_queue_by_number_then_by_age),
        receiver_test(test_a_standard_signal_waits_once_with_what_came_first),
        receiver_test(test_faults_are_taken_before_lower_numbers),
        receiver_test(test_a_threads_own_are_taken_before_the_processs),
        receiver_test(test_only_the_set_is_taken_and_the_rest_is_pending),
        receiver_test(test_expirations_of_one_timer_are_counted_in_one_signal),
        receiver_test(test_what_is_ignored_from_now_on_is_gone_from_all_queues),
        receiver_test(test_a_thread_that_has_ended_is_esrch_and_its_signals_are_gone),
        receiver_test(test_a_thread_that_is_ending_is_esrch),
        receiver_test(test_a_signal_ends_a_wait_without_a_deadline),
        receiver_test(test_a_signal_ends_a_wait_with_a_deadline_and_its_timer),
        receiver_test(test_a_blocked_signal_ends_no_wait),
        receiver_test(test_two_signals_end_a_wait_once_and_both_are_taken),
        receiver_test(test_a_signal_for_oneself_ends_the_next_wait),
        receiver_test(test_what_came_too_late_for_who_unblocked_it_is_fetched_by_its_sender),
    };
    return cmocka_run_group_tests(tests, receiver_setup, NULL);
}
