/* SPDX-License-Identifier: MIT */
/* preload/spin.c, whose sched_yield is this file's. */
#include "machine.h"

#include <pthread.h>

static pthread_spinlock_t lock;
static int yields;

/* Another thread's turn: it gives the lock back the third time. */
int sched_yield(void)
{
    if (++yields == 3)
        pthread_spin_unlock(&lock);
    return 0;
}

static void test_who_spins_lets_others_run(void **state)
{
    (void)state;
    yields = 0;
    assert_int_equal(pthread_spin_init(&lock, PTHREAD_PROCESS_PRIVATE), 0);
    assert_int_equal(pthread_spin_lock(&lock), 0); /* free */
    assert_int_equal(yields, 0);
    assert_int_equal(pthread_spin_lock(&lock), 0);
    assert_int_equal(yields, 3);
    assert_int_not_equal(pthread_spin_trylock(&lock), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        machine_test(test_who_spins_lets_others_run),
    };
    return cmocka_run_group_tests(tests, machine_setup, NULL);
}
