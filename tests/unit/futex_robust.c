/* SPDX-License-Identifier: MIT */
/* What becomes of the locks of a thread that ends: its robust list. */
#include "waiter.h"

/* A mutex as glibc lays it out for the robust list: the word at an offset from the link. */
struct robust {
    struct robust_list link;
    uint32_t filler, word;
};

struct dying {
    struct task task;
    struct robust_list_head head;
    struct robust locks[4]; /* plain with a waiter, PI with a waiter, plain of another, pending */
};

static void die_holding(void *argument)
{
    struct dying *dying = argument;
    struct coroutine *self = weft_current;
    uint32_t id = (uint32_t)self->tid;
    struct robust *locks = dying->locks;
    locks[0].word = locks[3].word = id;
    locks[2].word = 12345;
    require(weft_futex_lock_pi(self, &locks[1].word, WEFT_NEVER, false) == 0);
    dying->head.futex_offset = offsetof(struct robust, word) - offsetof(struct robust, link);
    dying->head.list.next = &locks[0].link;
    locks[0].link.next = (struct robust_list *)((uintptr_t)&locks[1].link | 1); /* 1: priority inheritance */
    locks[1].link.next = &locks[2].link;
    locks[2].link.next = &dying->head.list;
    dying->head.list_op_pending = &locks[3].link;
    self->robust_list = &dying->head;
    task_sleep(5000000); /* others come to wait */
    weft_futex_release_robust(self, weft_core_enter(self));
    weft_core_leave(self);
}

static void wait_for_plain(void *argument)
{
    struct robust *lock = argument;
    uint32_t value = __atomic_or_fetch(&lock->word, FUTEX_WAITERS, __ATOMIC_SEQ_CST);
    require(weft_futex_wait(weft_current, &lock->word, value, WEFT_FUTEX_ANY, WEFT_NEVER,
                            WEFT_REASON_FUTEX) == 0);
    require(lock->word == (FUTEX_OWNER_DIED | FUTEX_WAITERS));
}

static void test_the_robust_list_of_the_dead_is_released(void **state)
{
    static struct dying dying;
    struct task plain[2];
    struct owner pi;
    (void)state;
    memset(&dying, 0, sizeof dying);
    task_start(&dying.task, die_holding, &dying);
    while (!dying.head.list.next)
        weft_yield(weft_current);
    task_start(&plain[0], wait_for_plain, &dying.locks[0]);
    task_start(&plain[1], wait_for_plain, &dying.locks[0]);
    pi = (struct owner){.name = 'p', .lock = &dying.locks[1].word, .deadline = WEFT_NEVER, .locked = 99};
    task_start(&pi.task, lock_note_unlock, &pi);
    weft_yield(weft_current);
    uint32_t pi_id = (uint32_t)pi.task.coroutine->tid;
    task_join(&dying.task);
    task_join(&pi.task);
    assert_int_equal(pi.locked, 0);
    assert_int_equal(pi.word_when_held, pi_id | FUTEX_OWNER_DIED);
    task_join(&plain[0]);
    assert_int_equal(plain[1].ended, 0);          /* one waiter is woken, not all */
    assert_int_equal(dying.locks[2].word, 12345); /* not its own */
    assert_int_equal(dying.locks[3].word, FUTEX_OWNER_DIED);
    assert_int_equal(wake(&dying.locks[0].word, 5), 1);
    task_join(&plain[1]);
}

static void test_a_circular_robust_list_ends(void **state)
{
    static struct robust_list_head head;
    static struct robust lock;
    (void)state;
    head.futex_offset = offsetof(struct robust, word);
    head.list.next = &lock.link;
    lock.link.next = &lock.link; /* never comes back to the head */
    weft_current->robust_list = &head;
    weft_futex_release_robust(weft_current, weft_core_enter(weft_current));
    weft_core_leave(weft_current);
    weft_current->robust_list = NULL;
    assert_int_equal(lock.word, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ordered(test_the_robust_list_of_the_dead_is_released),
        ordered(test_a_circular_robust_list_ends),
    };
    return cmocka_run_group_tests(tests, machine_setup, NULL);
}
