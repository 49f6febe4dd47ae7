/* SPDX-License-Identifier: MIT */
/* Several processors at once: what runs on one meets what runs on another. */
#include "machine.h"

#include <errno.h>
#include <string.h>

enum { ROUNDS = 100000 };

static uint64_t seed;

/* Starts a task on a processor of its own. */
static void start_on(unsigned processor, struct task *task, void (*function)(void *), void *argument)
{
    task_prepare(task, function, argument);
    task->coroutine->state = WEFT_READY;
    weft_processor_post(&weft_processors[processor], task->coroutine);
}

static struct {
    uint32_t announced, word;
    int lost, illegal;
} duel;

/* Has a deadline each time, so it is readied on its own processor, and a lost wake-up shows. */
static void wait_for_each_value(void *argument)
{
    (void)argument;
    for (uint32_t round = 1; round <= ROUNDS && duel.lost < 3; round++) {
        __atomic_store_n(&duel.announced, round, __ATOMIC_SEQ_CST);
        while (__atomic_load_n(&duel.word, __ATOMIC_SEQ_CST) != round) {
            long result = weft_futex_wait(weft_current, &duel.word, round - 1, WEFT_FUTEX_ANY,
                                          weft_now() + INT64_C(200000000), WEFT_REASON_FUTEX);
            duel.illegal += result != 0 && result != -EAGAIN && result != -ETIMEDOUT;
            duel.lost += result == -ETIMEDOUT && __atomic_load_n(&duel.word, __ATOMIC_SEQ_CST) == round;
        }
    }
    __atomic_store_n(&duel.announced, ROUNDS + 1, __ATOMIC_SEQ_CST);
}

static void test_no_wake_is_lost_between_the_look_at_the_word_and_the_queue(void **state)
{
    struct task waiter;
    uint64_t random = seed;
    (void)state;
    memset(&duel, 0, sizeof duel);
    start_on(1, &waiter, wait_for_each_value, NULL); /* should we be there too, the monitor parts us */
    for (uint32_t round = 1; round <= ROUNDS; round++) {
        uint32_t announced;
        while ((announced = __atomic_load_n(&duel.announced, __ATOMIC_SEQ_CST)) < round)
            __builtin_ia32_pause();
        if (announced > ROUNDS)
            break;
        for (uint64_t pause = unit_random(&random) % 64; pause > 0; pause--)
            __asm__ volatile("" : : : "memory");
        __atomic_store_n(&duel.word, round, __ATOMIC_SEQ_CST);
        weft_futex_wake(weft_current, &duel.word, 1, WEFT_FUTEX_ANY);
    }
    task_join(&waiter);
    assert_int_equal(duel.illegal, 0);
    assert_int_equal(duel.lost, 0);
}

static void count_run(void *argument)
{
    __atomic_fetch_add((unsigned *)argument, 1, __ATOMIC_SEQ_CST);
}

static void test_a_posted_coroutine_runs_once(void **state)
{
    (void)state;
    for (int round = 0; round < 100; round++) {
        struct task task;
        unsigned runs = 0;
        start_on((unsigned)round % 2, &task, count_run, &runs);
        task_join(&task);
        assert_int_equal(runs, 1);
    }
}

static long counter;

static void count_under_a_pi_lock(void *argument)
{
    uint32_t *lock = argument;
    for (int i = 0; i < 20000; i++) {
        require(weft_futex_lock_pi(weft_current, lock, WEFT_NEVER, false) == 0);
        counter++;
        require(weft_futex_unlock_pi(weft_current, lock) == 0);
    }
}

static void test_a_pi_lock_excludes_across_processors(void **state)
{
    struct task tasks[4];
    uint32_t lock = 0;
    (void)state;
    counter = 0;
    for (unsigned i = 0; i < 4; i++)
        start_on(i % 2, &tasks[i], count_under_a_pi_lock, &lock);
    for (int i = 0; i < 4; i++)
        task_join(&tasks[i]);
    assert_int_equal(counter, 4 * 20000);
    assert_int_equal(lock, 0);
}

static void sleep_often(void *argument)
{
    (void)argument;
    for (int i = 0; i < 20; i++) {
        int64_t deadline = weft_now() + 100000;
        task_sleep(100000);
        require(weft_now() >= deadline);
        require(!weft_current->home && !weft_current->timer.place); /* so it may go on anywhere */
    }
}

static void test_sleepers_keep_nothing_of_their_wait(void **state)
{
    struct task tasks[8];
    (void)state;
    for (unsigned i = 0; i < 8; i++)
        start_on(i % 2, &tasks[i], sleep_often, NULL);
    for (int i = 0; i < 8; i++)
        task_join(&tasks[i]);
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
        machine_test(test_a_posted_coroutine_runs_once),
        machine_test(test_a_pi_lock_excludes_across_processors),
        machine_test(test_sleepers_keep_nothing_of_their_wait),
        machine_test(test_no_wake_is_lost_between_the_look_at_the_word_and_the_queue),
    };
    seed = unit_seed();
    return cmocka_run_group_tests(tests, setup, NULL);
}
