/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../core/check.h"

static void check_one(int condition)
{
    weft_check(condition == 1);
}
enum { CHECKED_LINE = __LINE__ - 2 };

static void ignore(int signal)
{
    (void)signal;
}

/* Runs weft_check(condition) in a child whose descriptor 2 is a pipe. Returns how the child ended. */
static int check_in_child(int condition, char *output, size_t size)
{
    int pipe_fds[2], status;
    assert_int_equal(pipe(pipe_fds), 0);
    pid_t child = fork();
    if (child == 0) {
        sigset_t all;
        dup2(pipe_fds[1], 2);
        signal(SIGABRT, ignore);
        sigfillset(&all);
        sigprocmask(SIG_BLOCK, &all, NULL);
        close(pipe_fds[0]);
        check_one(condition);
        _exit(0);
    }
    close(pipe_fds[1]);
    ssize_t length = read(pipe_fds[0], output, size - 1);
    output[length > 0 ? length : 0] = 0;
    close(pipe_fds[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void test_a_condition_that_holds_changes_nothing(void **state)
{
    char output[500];
    (void)state;
    int status = check_in_child(1, output, sizeof output);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_string_equal(output, "");
}

static void test_a_broken_invariant_is_named_and_aborts(void **state)
{
    char output[500], end[40];
    (void)state;
    int status = check_in_child(0, output, sizeof output);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT); /* though blocked and handled */
    const char *begin = "weft: broken invariant: condition == 1 (";
    assert_memory_equal(output, begin, strlen(begin));
    snprintf(end, sizeof end, "check.c:%d)\n", CHECKED_LINE);
    assert_true(strlen(output) > strlen(end));
    assert_string_equal(output + strlen(output) - strlen(end), end);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_condition_that_holds_changes_nothing),
        cmocka_unit_test(test_a_broken_invariant_is_named_and_aborts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
