/* SPDX-License-Identifier: MIT */
/* Coroutines that have a kernel thread of their own. (In a crowd: stress.c.) */
#include "machine.h"

#include <errno.h>
#include <sys/prctl.h>
#include <time.h>

#include "../../core/bound.h"

enum { OTHERS = 8, ROUNDS = 50 };

static int own_tid(void)
{
    return (int)weft_raw0(SYS_gettid);
}

/* Waits of each kind, behind which an unbound one may be elsewhere. */
static void wander(void)
{
    static const uint32_t word;
    const struct timespec nap = {0, 20000};
    struct coroutine *self = weft_current;
    weft_yield(self);
    weft_futex_wait(self, (uint32_t *)&word, 0, WEFT_FUTEX_ANY, weft_now() + 20000, WEFT_REASON_FUTEX);
    weft_kernel_enter(self);
    weft_raw2(SYS_nanosleep, (long)&nap, 0);
    weft_kernel_leave(self);
}

static int bound_tid;

static void be_bound(void *argument)
{
    (void)argument;
    weft_bound_leave_shared(weft_current);
    weft_bound_begin(weft_current, WEFT_BOUND_ALONE);
    int tid = own_tid();
    __atomic_store_n(&bound_tid, tid, __ATOMIC_SEQ_CST);
    for (int i = 0; i < ROUNDS; i++) {
        wander();
        require(own_tid() == tid);
    }
}

static void be_another(void *argument)
{
    (void)argument;
    for (int i = 0; i < ROUNDS; i++) {
        wander();
        require(own_tid() != __atomic_load_n(&bound_tid, __ATOMIC_SEQ_CST));
    }
}

static void test_its_kernel_thread_is_its_own_and_ends_with_it(void **state)
{
    struct task bound, others[OTHERS];
    (void)state;
    bound_tid = 0;
    task_start(&bound, be_bound, NULL);
    for (int i = 0; i < OTHERS; i++)
        task_start(&others[i], be_another, NULL);
    task_join(&bound);
    for (int i = 0; i < OTHERS; i++)
        task_join(&others[i]);
    int64_t limit = weft_now() + INT64_C(5000000000);
    while (weft_raw3(SYS_tgkill, weft_raw0(SYS_getpid), bound_tid, 0) == 0 && weft_now() < limit)
        task_sleep(1000000);
    assert_int_equal(weft_raw3(SYS_tgkill, weft_raw0(SYS_getpid), bound_tid, 0), -ESRCH);
}

static void have_state(void *argument)
{
    (void)argument;
    weft_bound_leave_shared(weft_current);
    require(weft_raw5(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    weft_bound_begin(weft_current, WEFT_BOUND_HEIRS);
    for (int i = 0; i < ROUNDS; i++) {
        wander();
        require(weft_raw5(SYS_prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
    }
}

/* All at once in the kernel, so that carriers must be made. */
static void have_none(void *argument)
{
    const struct timespec nap = {0, 2000000};
    struct coroutine *self = weft_current;
    (void)argument;
    for (int i = 0; i < ROUNDS; i++) {
        weft_kernel_enter(self);
        weft_raw2(SYS_nanosleep, (long)&nap, 0);
        weft_kernel_leave(self);
        require(weft_raw5(SYS_prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0);
    }
}

static void test_no_other_carrier_gets_what_it_has(void **state)
{
    struct task bound, others[3 * OTHERS];
    (void)state;
    task_start(&bound, have_state, NULL);
    for (int i = 0; i < 3 * OTHERS; i++)
        task_start(&others[i], have_none, NULL);
    task_join(&bound);
    for (int i = 0; i < 3 * OTHERS; i++)
        task_join(&others[i]);
}

static void leave_first(void *argument)
{
    int pid = (int)weft_raw0(SYS_getpid);
    (void)argument;
    require(own_tid() == pid);
    weft_bound_leave_shared(weft_current);
    require(own_tid() != pid && weft_current->bound);
    int tid = own_tid();
    wander();
    require(own_tid() == tid);
    weft_bound_release(weft_current);
    require(!weft_current->bound && !weft_current->hog);
    wander();
}

static void test_the_first_kernel_thread_is_left_to_main(void **state)
{
    struct task task;
    (void)state;
    /* Main parks on its own kernel thread, which takes the task next. */
    for (int tries = 0; own_tid() != (int)weft_raw0(SYS_getpid) && tries < 1000; tries++)
        task_sleep(100000);
    assert_int_equal(own_tid(), weft_raw0(SYS_getpid));
    task_prepare(&task, leave_first, NULL);
    struct processor *here = weft_core_enter(weft_current);
    weft_ready_next(here, task.coroutine, 0);
    weft_core_leave(weft_current);
    task_join(&task);
}

static void test_main_stays_where_it_is_bound(void **state)
{
    (void)state;
    weft_bound_leave_shared(weft_current); /* it may */
    int tid = own_tid();
    weft_bound_begin(weft_current, WEFT_BOUND_ALONE);
    for (int i = 0; i < ROUNDS; i++) {
        wander();
        assert_int_equal(own_tid(), tid);
    }
    weft_bound_release(weft_current);
}

static int setup(void **state)
{
    (void)state;
    if (machine_setup_many(2) != 0)
        return -1;
    weft_monitor_start();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        machine_test(test_the_first_kernel_thread_is_left_to_main),
        machine_test(test_its_kernel_thread_is_its_own_and_ends_with_it),
        machine_test(test_no_other_carrier_gets_what_it_has),
        machine_test(test_main_stays_where_it_is_bound),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
