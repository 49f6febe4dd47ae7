/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <unistd.h>

#include "../../core/coroutine.h"
#include "../../core/processor.h"

enum { MANY = 100000, LOWEST = 1 << 22, END = 1 << 30 };

static void give(struct coroutine *coroutine)
{
    coroutine->state = WEFT_DEAD;
    weft_coroutine_give(NULL, coroutine);
}

static int by_value(const void *left, const void *right)
{
    return *(const int *)left < *(const int *)right ? -1 : *(const int *)left > *(const int *)right;
}

static void assert_distinct(int *ids, int count)
{
    qsort(ids, (size_t)count, sizeof *ids, by_value);
    for (int i = 1; i < count; i++)
        assert_int_not_equal(ids[i - 1], ids[i]);
}

static void count_one(struct coroutine *coroutine, void *argument)
{
    size_t *count = argument;
    assert_ptr_equal(weft_coroutine_find(coroutine->tid), coroutine);
    ++*count;
}

static size_t live(void)
{
    size_t count = 0;
    weft_coroutine_each(count_one, &count);
    return count;
}

static void test_a_fresh_coroutine_is_blank(void **state)
{
    (void)state;
    for (int round = 0; round < 3; round++) {
        struct coroutine *coroutine = weft_coroutine_take(NULL, 0);
        assert_non_null(coroutine);
        assert_int_equal(coroutine->state, WEFT_READY);
        assert_int_equal(coroutine->timer.place, 0);
        assert_null(coroutine->home);
        assert_null(coroutine->robust_list);
        assert_null(coroutine->clear_child_tid);
        assert_int_equal(coroutine->watcher_count, 0);
        assert_true(weft_list_empty(&coroutine->futex.node));
        coroutine->robust_list = coroutine->clear_child_tid = (void *)coroutine;
        coroutine->watcher_count = 7;
        give(coroutine); /* the next round reuses it */
    }
}

static void test_ids_are_unique_and_in_their_range(void **state)
{
    static struct coroutine *coroutines[MANY];
    static int ids[MANY];
    (void)state;
    for (int i = 0; i < MANY; i++) {
        coroutines[i] = weft_coroutine_take(NULL, 0);
        assert_non_null(coroutines[i]);
        ids[i] = coroutines[i]->tid;
        assert_true(ids[i] >= LOWEST && ids[i] < END);
    }
    for (int i = 0; i < MANY; i++)
        assert_ptr_equal(weft_coroutine_find(ids[i]), coroutines[i]);
    assert_int_equal(live(), MANY);
    assert_distinct(ids, MANY);
    for (int i = 0; i < MANY; i++)
        give(coroutines[i]);
    assert_int_equal(live(), 0);
}

static void test_an_id_does_not_come_back_soon(void **state)
{
    enum { LIVES = 500 };
    int ids[LIVES];
    (void)state;
    for (int i = 0; i < LIVES; i++) {
        struct coroutine *coroutine = weft_coroutine_take(NULL, 0);
        ids[i] = coroutine->tid;
        assert_true(ids[i] >= LOWEST && ids[i] < END);
        give(coroutine);
    }
    assert_distinct(ids, LIVES);
}

/* The generation of an id wraps after 510 lives of one object. */
static void test_ids_stay_in_their_range_when_generations_wrap(void **state)
{
    (void)state;
    for (int i = 0; i < 2000; i++) {
        struct coroutine *coroutine = weft_coroutine_take(NULL, 0);
        assert_true(coroutine->tid >= LOWEST && coroutine->tid < END);
        assert_ptr_equal(weft_coroutine_find(coroutine->tid), coroutine);
        give(coroutine);
    }
}

static void test_find_finds_only_the_live(void **state)
{
    (void)state;
    struct coroutine *dead = weft_coroutine_take(NULL, 0);
    int id = dead->tid;
    assert_ptr_equal(weft_coroutine_find(id), dead);
    give(dead);
    assert_null(weft_coroutine_find(id));
    struct coroutine *heir = weft_coroutine_take(NULL, 0);
    assert_ptr_equal(heir, dead);         /* the object is reused, */
    assert_null(weft_coroutine_find(id)); /* its id is not */
    assert_ptr_equal(weft_coroutine_find(heir->tid), heir);
    give(heir);
}

static void test_find_of_what_never_was_is_null(void **state)
{
    (void)state;
    assert_null(weft_coroutine_find(0));
    assert_null(weft_coroutine_find(-1));
    assert_null(weft_coroutine_find(1));
    assert_null(weft_coroutine_find(INT32_MAX));
    assert_null(weft_coroutine_find(INT32_MIN));
    for (int id = LOWEST; id > 0 && id < END; id += 65521)
        assert_null(weft_coroutine_find(id));
}

static void test_a_processor_keeps_some_free_ones(void **state)
{
    enum { ALL = 50 };
    struct processor here = {0};
    struct coroutine *coroutines[ALL];
    (void)state;
    for (int i = 0; i < ALL; i++)
        coroutines[i] = weft_coroutine_take(&here, 0);
    for (int i = 0; i < ALL; i++) {
        coroutines[i]->state = WEFT_DEAD;
        weft_coroutine_give(&here, coroutines[i]);
    }
    unsigned kept = here.spare_count;
    assert_in_range(kept, 1, ALL - 1);
    struct coroutine *foreign = weft_coroutine_take(NULL, 0), *own = weft_coroutine_take(&here, 0);
    assert_ptr_equal(foreign, coroutines[ALL - 1]); /* the last, which went to all */
    assert_ptr_equal(own, coroutines[kept - 1]);    /* the last that stayed */
    assert_int_equal(here.spare_count, kept - 1);
    give(foreign);
    give(own);
}

static bool has_id(struct coroutine *coroutine, const void *tid)
{
    return coroutine->tid == *(const int *)tid;
}

static void test_search_finds_what_matches(void **state)
{
    struct coroutine *first = weft_coroutine_take(NULL, 0), *second = weft_coroutine_take(NULL, 0);
    int none = 0;
    (void)state;
    assert_ptr_equal(weft_coroutine_search(has_id, &first->tid), first);
    assert_ptr_equal(weft_coroutine_search(has_id, &second->tid), second);
    assert_null(weft_coroutine_search(has_id, &none));
    give(first);
    give(second);
}

static void test_the_main_coroutine_has_the_process_id(void **state)
{
    (void)state;
    struct coroutine *main_coroutine = weft_coroutine_take(NULL, getpid());
    assert_int_equal(main_coroutine->tid, getpid());
    assert_ptr_equal(weft_coroutine_find(getpid()), main_coroutine);
    assert_null(weft_coroutine_find(getppid()));
    give(main_coroutine);
    assert_null(weft_coroutine_find(getpid()));
}

static void test_bind_sets_current_in_a_thread_block(void **state)
{
    struct coroutine *coroutine = weft_coroutine_take(NULL, 0);
    (void)state;
    assert_null(weft_current);
    weft_coroutine_bind(coroutine, weft_fs_base());
    assert_ptr_equal(weft_current, coroutine);
    weft_current = NULL;
    give(coroutine);
}

static void test_every_reason_has_a_name(void **state)
{
    (void)state;
    for (int i = 0; i < WEFT_REASONS; i++) {
        assert_non_null(weft_reason_names[i]);
        assert_int_not_equal(weft_reason_names[i][0], 0);
    }
    assert_string_equal(weft_reason_names[WEFT_REASON_FUTEX], "futex");
    assert_string_equal(weft_reason_names[WEFT_REASON_SIGNAL], "signal");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_fresh_coroutine_is_blank),
        cmocka_unit_test(test_ids_are_unique_and_in_their_range),
        cmocka_unit_test(test_an_id_does_not_come_back_soon),
        cmocka_unit_test(test_ids_stay_in_their_range_when_generations_wrap),
        cmocka_unit_test(test_find_finds_only_the_live),
        cmocka_unit_test(test_find_of_what_never_was_is_null),
        cmocka_unit_test(test_a_processor_keeps_some_free_ones),
        cmocka_unit_test(test_search_finds_what_matches),
        cmocka_unit_test(test_the_main_coroutine_has_the_process_id),
        cmocka_unit_test(test_bind_sets_current_in_a_thread_block),
        cmocka_unit_test(test_every_reason_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
