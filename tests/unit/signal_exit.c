/* SPDX-License-Identifier: MIT */
/* What becomes of a system call that a signal has ended (weft_signals_at_exit, called by entry.S). */
#include "machine.h"
#include "receiver.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "../../hooks/call.h"
#include "../../hooks/signal.h"

long weft_signals_at_exit(struct weft_call *call, long result);

static int pipe_ends[2];
static unsigned handled;
static bool made_again_in_handler;
static uintptr_t place; /* where the last handler saw the program */

static const uintptr_t behind_call = 4096, call_itself = 4094; /* nothing is there */

static void handle(int number, siginfo_t *info, void *context)
{
    (void)number, (void)info;
    handled++;
    made_again_in_handler = weft_current->restarted;
    place = (uintptr_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
}

static void install(int number, unsigned long flags)
{
    struct weft_action action = {.handler = handle, .flags = flags};
    struct weft_call call = {.number = SYS_rt_sigaction,
                             .arguments = {number, (long)&action, 0, sizeof action.mask}};
    assert_int_equal(weft_hooks[SYS_rt_sigaction](&call), 0);
}

/* Ends at once when it is made again, with 0. */
static struct weft_call poll_of_nothing(void)
{
    return (struct weft_call){.number = SYS_poll, .site_next = (void *)behind_call};
}

/* Ends with 1 when it is made again. */
static struct weft_call read_of_one(char *byte)
{
    assert_int_equal(write(pipe_ends[1], byte, 1), 1);
    return (struct weft_call){
        .number = SYS_read, .arguments = {pipe_ends[0], (long)byte, 1}, .site_next = (void *)behind_call};
}

static void test_a_wait_ended_for_nothing_is_made_again(void **state)
{
    struct weft_call call = poll_of_nothing();
    (void)state;
    assert_int_equal(weft_signals_at_exit(&call, -EINTR), 0);
    assert_int_equal(handled, 0);
}

/* It may leave the call by siglongjmp, which is then not the one that is made again. */
static void test_a_handler_runs_as_if_nothing_was_made_again(void **state)
{
    struct weft_call call = poll_of_nothing();
    (void)state;
    weft_current->restarted = true;
    signal_send(weft_current->tid, SIGUSR1, 0);
    assert_int_equal(weft_signals_at_exit(&call, 0), 0);
    assert_int_equal(handled, 1);
    assert_false(made_again_in_handler);
    weft_current->restarted = false;
}

/* Whoever told of a signal may tell once more while its handler runs. */
static void test_a_wait_that_a_handler_has_ended_stays_ended(void **state)
{
    struct weft_call call = poll_of_nothing();
    (void)state;
    signal_send(weft_current->tid, SIGUSR1, 0);
    assert_int_equal(weft_signals_at_exit(&call, -EINTR), -EINTR);
    assert_int_equal(handled, 1);
    assert_int_equal(weft_signals_at_exit(&call, -EINTR), -EINTR);
    assert_int_equal(handled, 1);
}

static void test_the_first_handler_decides_for_those_that_come_later(void **state)
{
    char byte = 0;
    struct weft_call call = read_of_one(&byte);
    (void)state;
    signal_send(weft_current->tid, SIGUSR1, 0);
    assert_int_equal(weft_signals_at_exit(&call, -EINTR), -EINTR);
    signal_send(weft_current->tid, SIGUSR2, 0); /* with SA_RESTART */
    assert_int_equal(weft_signals_at_exit(&call, -EINTR), -EINTR);
    assert_int_equal(handled, 2);
    assert_int_equal(place, behind_call);
    assert_int_equal(read(pipe_ends[0], &byte, 1), 1); /* nobody has read it */
}

static void test_a_call_that_restarts_does_so_as_often_as_it_is_ended(void **state)
{
    char byte = 0;
    (void)state;
    for (unsigned i = 1; i < 4; i++) {
        struct weft_call call = read_of_one(&byte);
        signal_send(weft_current->tid, SIGUSR2, 0);
        assert_int_equal(weft_signals_at_exit(&call, -EINTR), 1);
        assert_int_equal(handled, i);
        assert_int_equal(place, call_itself);
    }
}

static void test_a_result_is_kept_whatever_is_handled_behind_it(void **state)
{
    struct weft_call call = poll_of_nothing();
    (void)state;
    signal_send(weft_current->tid, SIGUSR1, 0);
    assert_int_equal(weft_signals_at_exit(&call, 5), 5);
    assert_int_equal(handled, 1);
    assert_int_equal(weft_signals_at_exit(&call, 5), 5);
    assert_int_equal(weft_signals_at_exit(&call, -EBADF), -EBADF);
}

static int setup(void **state)
{
    if (receiver_setup(state) != 0)
        return -1;
    weft_hooks_install();
    install(SIGUSR1, 0);
    install(SIGUSR2, SA_RESTART);
    weft_signal_mask_set(weft_current, ALL_SIGNALS & ~weft_signal_bit(SIGUSR1) & ~weft_signal_bit(SIGUSR2));
    return pipe(pipe_ends);
}

static int teardown(void **state)
{
    handled = 0;
    weft_current->signal_due = 0;
    return machine_teardown(state);
}

#define exit_test(function) cmocka_unit_test_teardown(function, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        exit_test(test_a_wait_ended_for_nothing_is_made_again),
        exit_test(test_a_handler_runs_as_if_nothing_was_made_again),
        exit_test(test_a_wait_that_a_handler_has_ended_stays_ended),
        exit_test(test_the_first_handler_decides_for_those_that_come_later),
        exit_test(test_a_call_that_restarts_does_so_as_often_as_it_is_ended),
        exit_test(test_a_result_is_kept_whatever_is_handled_behind_it),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
