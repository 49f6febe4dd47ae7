/* SPDX-License-Identifier: MIT */
/* Which calls are made again behind a handler with SA_RESTART; the table is that of signal(7). */
#include "machine.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "../../hooks/call.h"
#include "../../hooks/signal.h"

static int pipe_ends[2], pair[2], timed_pair[2];

static bool restarts(long number, long first, long second, long fourth)
{
    struct weft_call call = {.number = number, .arguments = {first, second, 0, fourth}};
    return weft_call_restarts(&call);
}

static void test_calls_that_wait_for_several_things_or_for_time_never_do(void **state)
{
    const long never[] = {SYS_poll,       SYS_ppoll,         SYS_select,          SYS_pselect6,
                          SYS_epoll_wait, SYS_epoll_pwait,   SYS_epoll_pwait2,    SYS_nanosleep,
                          SYS_pause,      SYS_rt_sigsuspend, SYS_rt_sigtimedwait, SYS_clock_nanosleep,
                          SYS_semop,      SYS_semtimedop,    SYS_msgrcv,          SYS_msgsnd};
    (void)state;
    for (unsigned i = 0; i < sizeof never / sizeof *never; i++)
        assert_false(restarts(never[i], pipe_ends[0], 0, 0));
}

static void test_reads_and_writes_do(void **state)
{
    const long number[] = {SYS_read, SYS_readv, SYS_write, SYS_writev};
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        assert_true(restarts(number[i], pipe_ends[0], 0, 0));
        assert_true(restarts(number[i], pair[0], 0, 0));
    }
    assert_true(restarts(SYS_wait4, -1, 0, 0));
    assert_true(restarts(SYS_fcntl, pipe_ends[0], F_SETLKW, 0));
}

static void test_a_socket_with_a_time_out_for_the_direction_does_not(void **state)
{
    const long receives[] = {SYS_read,   SYS_readv,   SYS_recvfrom, SYS_recvmsg,
                             SYS_accept, SYS_accept4, SYS_recvmmsg};
    const long sends[] = {SYS_write, SYS_writev, SYS_sendto, SYS_sendmsg, SYS_connect, SYS_sendmmsg};
    (void)state;
    for (unsigned i = 0; i < sizeof receives / sizeof *receives; i++) {
        assert_false(restarts(receives[i], timed_pair[0], 0, 0));
        assert_true(restarts(receives[i], timed_pair[1], 0, 0));
    }
    for (unsigned i = 0; i < sizeof sends / sizeof *sends; i++) {
        assert_true(restarts(sends[i], timed_pair[0], 0, 0));
        assert_false(restarts(sends[i], timed_pair[1], 0, 0));
    }
}

static void test_a_futex_does_unless_it_has_a_time_out(void **state)
{
    struct timespec limit = {1, 0};
    (void)state;
    assert_true(restarts(SYS_futex, 0, FUTEX_WAIT_PRIVATE, 0));
    assert_false(restarts(SYS_futex, 0, FUTEX_WAIT_PRIVATE, (long)&limit));
    assert_false(restarts(SYS_futex, 0, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, (long)&limit));
    assert_true(restarts(SYS_futex, 0, FUTEX_LOCK_PI, (long)&limit));
}

static void test_only_a_wait_for_a_pi_lock_does_without_sa_restart(void **state)
{
    struct weft_call lock = {.number = SYS_futex, .arguments = {0, FUTEX_LOCK_PI_PRIVATE}},
                     wait = {.number = SYS_futex, .arguments = {0, FUTEX_WAIT_PRIVATE}},
                     read_call = {.number = SYS_read, .arguments = {0, FUTEX_LOCK_PI}};
    (void)state;
    assert_true(weft_call_restarts_always(&lock));
    assert_false(weft_call_restarts_always(&wait));
    assert_false(weft_call_restarts_always(&read_call));
}

static int open_all(void **state)
{
    const struct timeval limit = {5, 0};
    return machine_setup(state) || pipe(pipe_ends) || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) ||
           socketpair(AF_UNIX, SOCK_STREAM, 0, timed_pair) ||
           setsockopt(timed_pair[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) ||
           setsockopt(timed_pair[1], SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls_that_wait_for_several_things_or_for_time_never_do),
        cmocka_unit_test(test_reads_and_writes_do),
        cmocka_unit_test(test_a_socket_with_a_time_out_for_the_direction_does_not),
        cmocka_unit_test(test_a_futex_does_unless_it_has_a_time_out),
        cmocka_unit_test(test_only_a_wait_for_a_pi_lock_does_without_sa_restart),
    };
    return cmocka_run_group_tests(tests, open_all, NULL);
}
