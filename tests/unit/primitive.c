/* SPDX-License-Identifier: MIT */
/* The public coroutines of weft.h. */
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include "../../core/weft.h"

#define VALUE(number) ((void *)(uintptr_t)(number))

static struct weft_coroutine *create(weft_coroutine_function *function, void *argument)
{
    struct weft_coroutine *coroutine = NULL;
    assert_int_equal(weft_coroutine_create(&coroutine, function, argument, 0), 0);
    assert_non_null(coroutine);
    return coroutine;
}

static void *resume(struct weft_coroutine *coroutine, void *value)
{
    void *out = VALUE(0xdead);
    assert_int_equal(weft_coroutine_resume(coroutine, value, &out), 0);
    return out;
}

/* Yields what it gets plus its argument, until it gets 0. */
static void *add(void *value, void *argument)
{
    while (value)
        value = weft_coroutine_yield((char *)value + (uintptr_t)argument);
    return VALUE(77);
}

static void test_values_pass_both_ways(void **state)
{
    struct weft_coroutine *coroutine = create(add, VALUE(1000));
    (void)state;
    for (uintptr_t i = 1; i < 100; i++)
        assert_ptr_equal(resume(coroutine, VALUE(i)), VALUE(1000 + i));
    assert_ptr_equal(resume(coroutine, NULL), VALUE(77)); /* what the function returns */
    assert_int_equal(weft_coroutine_close(coroutine), 0);
}

static void test_the_value_out_may_be_ignored(void **state)
{
    struct weft_coroutine *coroutine = create(add, VALUE(1));
    (void)state;
    assert_int_equal(weft_coroutine_resume(coroutine, VALUE(5), NULL), 0);
    assert_ptr_equal(resume(coroutine, VALUE(6)), VALUE(7));
    assert_int_equal(weft_coroutine_close(coroutine), 0);
}

static void test_a_coroutine_needs_a_function(void **state)
{
    struct weft_coroutine *coroutine;
    (void)state;
    assert_int_equal(weft_coroutine_create(&coroutine, NULL, NULL, 0), -EINVAL);
}

static void test_a_stack_larger_than_memory_is_refused(void **state)
{
    struct weft_coroutine *coroutine;
    (void)state;
    assert_int_equal(weft_coroutine_create(&coroutine, add, NULL, (size_t)1 << 60), -ENOMEM);
    assert_true(weft_coroutine_create(&coroutine, add, NULL, SIZE_MAX) < 0);
}

static void test_a_dead_coroutine_is_not_resumed(void **state)
{
    struct weft_coroutine *coroutine = create(add, NULL);
    void *out = VALUE(3);
    (void)state;
    resume(coroutine, NULL);
    assert_int_equal(weft_coroutine_status(coroutine), WEFT_COROUTINE_DEAD);
    assert_int_equal(weft_coroutine_resume(coroutine, VALUE(1), &out), -EINVAL);
    assert_ptr_equal(out, VALUE(3));
    assert_int_equal(weft_coroutine_status(coroutine), WEFT_COROUTINE_DEAD);
    assert_int_equal(weft_coroutine_close(coroutine), 0);
}

struct pair {
    struct weft_coroutine *outer, *inner;
    int outer_status, inner_status, resume_outer, resume_inner, close_outer, close_inner;
    struct weft_coroutine *running;
};

static void *inside(void *value, void *argument)
{
    struct pair *pair = argument;
    pair->outer_status = weft_coroutine_status(pair->outer);
    pair->inner_status = weft_coroutine_status(pair->inner);
    pair->resume_outer = weft_coroutine_resume(pair->outer, NULL, NULL);
    pair->resume_inner = weft_coroutine_resume(pair->inner, NULL, NULL);
    pair->close_outer = weft_coroutine_close(pair->outer);
    pair->close_inner = weft_coroutine_close(pair->inner);
    pair->running = weft_coroutine_running();
    return value;
}

static void *outside(void *value, void *argument)
{
    struct pair *pair = argument;
    void *out = NULL;
    if (weft_coroutine_running() != pair->outer || weft_coroutine_resume(pair->inner, value, &out) != 0 ||
        weft_coroutine_running() != pair->outer ||
        weft_coroutine_status(pair->outer) != WEFT_COROUTINE_RUNNING)
        return NULL;
    return out;
}

static void test_the_running_and_the_normal_are_busy(void **state)
{
    struct pair pair = {0};
    (void)state;
    pair.outer = create(outside, &pair);
    pair.inner = create(inside, &pair);
    assert_int_equal(weft_coroutine_status(pair.outer), WEFT_COROUTINE_SUSPENDED);
    assert_ptr_equal(resume(pair.outer, VALUE(9)), VALUE(9));
    assert_int_equal(pair.outer_status, WEFT_COROUTINE_NORMAL);
    assert_int_equal(pair.inner_status, WEFT_COROUTINE_RUNNING);
    assert_int_equal(pair.resume_outer, -EBUSY);
    assert_int_equal(pair.resume_inner, -EBUSY);
    assert_int_equal(pair.close_outer, -EBUSY);
    assert_int_equal(pair.close_inner, -EBUSY);
    assert_ptr_equal(pair.running, pair.inner);
    assert_int_equal(weft_coroutine_status(pair.outer), WEFT_COROUTINE_DEAD);
    assert_int_equal(weft_coroutine_status(pair.inner), WEFT_COROUTINE_DEAD);
    assert_null(weft_coroutine_running());
    assert_int_equal(weft_coroutine_close(pair.outer), 0);
    assert_int_equal(weft_coroutine_close(pair.inner), 0);
}

static void test_status_goes_from_suspended_to_dead(void **state)
{
    struct weft_coroutine *coroutine = create(add, NULL);
    (void)state;
    assert_int_equal(weft_coroutine_status(coroutine), WEFT_COROUTINE_SUSPENDED);
    resume(coroutine, VALUE(1));
    assert_int_equal(weft_coroutine_status(coroutine), WEFT_COROUTINE_SUSPENDED);
    resume(coroutine, NULL);
    assert_int_equal(weft_coroutine_status(coroutine), WEFT_COROUTINE_DEAD);
    assert_int_equal(weft_coroutine_close(coroutine), 0);
}

static void test_a_suspended_coroutine_is_closed(void **state)
{
    (void)state;
    for (int i = 0; i < 70000;
         i++) { /* each holds two mappings: more than vm.max_map_count allows at a time */
        struct weft_coroutine *coroutine = create(add, NULL);
        if (i % 2)
            resume(coroutine, VALUE(1));
        assert_int_equal(weft_coroutine_close(coroutine), 0);
    }
}

static void test_a_yield_outside_returns_null(void **state)
{
    (void)state;
    assert_null(weft_coroutine_running());
    assert_null(weft_coroutine_yield(VALUE(1)));
}

/* Resumes the next one, `argument` deep, on the way down and on the way up. */
static void *nest(void *value, void *argument)
{
    uintptr_t depth = (uintptr_t)argument;
    struct weft_coroutine *next;
    void *out = NULL;
    if (depth == 0)
        return weft_coroutine_yield(VALUE((uintptr_t)value + 1)), VALUE(500);
    if (weft_coroutine_create(&next, nest, VALUE(depth - 1), 0) != 0)
        return NULL;
    weft_coroutine_resume(next, VALUE((uintptr_t)value + 1), &out);
    weft_coroutine_yield(out);
    weft_coroutine_resume(next, NULL, &out);
    weft_coroutine_close(next);
    return VALUE((uintptr_t)out + 1);
}

static void test_resumes_nest(void **state)
{
    struct weft_coroutine *coroutine = create(nest, VALUE(100));
    (void)state;
    assert_ptr_equal(resume(coroutine, VALUE(1)), VALUE(102));
    assert_null(weft_coroutine_running());
    assert_ptr_equal(resume(coroutine, NULL), VALUE(600));
    assert_int_equal(weft_coroutine_close(coroutine), 0);
}

static void test_many_coroutines_live_at_once(void **state)
{
    enum { MANY = 10000 };
    static struct weft_coroutine *many[MANY];
    (void)state;
    for (uintptr_t i = 0; i < MANY; i++)
        many[i] = create(add, VALUE(i));
    for (uintptr_t round = 1; round < 4; round++)
        for (uintptr_t i = 0; i < MANY; i++)
            assert_ptr_equal(resume(many[i], VALUE(round)), VALUE(round + i));
    for (uintptr_t i = 0; i < MANY; i++) {
        assert_ptr_equal(resume(many[i], NULL), VALUE(77));
        assert_int_equal(weft_coroutine_close(many[i]), 0);
    }
}

static size_t use_stack(size_t left)
{
    volatile char frame[1024];
    memset((char *)frame, (int)left, sizeof frame);
    return (left > sizeof frame ? use_stack(left - sizeof frame) : 0) + (frame[7] == (char)left);
}

static void *deep(void *value, void *argument)
{
    (void)argument;
    size_t frames = use_stack((size_t)(uintptr_t)value);
    weft_coroutine_yield(NULL);
    return VALUE(frames);
}

static void test_the_stack_holds_what_was_asked_for(void **state)
{
    const size_t sizes[] = {0, 16 * 1024, 100000, 8 << 20};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct weft_coroutine *coroutine;
        size_t size = sizes[i] ? sizes[i] : 256 * 1024, used = size / 3 * 2;
        assert_int_equal(weft_coroutine_create(&coroutine, deep, NULL, sizes[i]), 0);
        resume(coroutine, VALUE(used));
        assert_ptr_equal(resume(coroutine, NULL), VALUE((used + 1023) / 1024));
        assert_int_equal(weft_coroutine_close(coroutine), 0);
    }
}

static __thread int mark;

__attribute__((noinline)) static int *mark_place(void)
{
    int *place = &mark;
    __asm__ volatile("" : "+r"(place)); /* another thread's after a switch; volatile: not a const function */
    return place;
}

static void *report_mark(void *value, void *argument)
{
    (void)argument;
    while (!value)
        value = weft_coroutine_yield(VALUE(*mark_place()));
    return NULL;
}

struct visit {
    struct weft_coroutine *coroutine;
    void *out;
    int result, mark;
};

static void *resume_there(void *argument)
{
    struct visit *visit = argument;
    *mark_place() = visit->mark;
    visit->result = weft_coroutine_resume(visit->coroutine, NULL, &visit->out);
    return NULL;
}

static void test_another_thread_may_resume(void **state)
{
    struct weft_coroutine *coroutine = create(report_mark, NULL);
    (void)state;
    *mark_place() = 1;
    assert_ptr_equal(resume(coroutine, NULL), VALUE(1));
    for (int i = 2; i < 20; i++) {
        pthread_t thread;
        struct visit visit = {.coroutine = coroutine, .mark = i};
        assert_int_equal(pthread_create(&thread, NULL, resume_there, &visit), 0);
        pthread_join(thread, NULL);
        assert_int_equal(visit.result, 0);
        assert_ptr_equal(visit.out, VALUE(i)); /* it sees the __thread variables of who resumes it */
        assert_ptr_equal(resume(coroutine, NULL), VALUE(1));
    }
    assert_int_equal(weft_coroutine_close(coroutine), 0);
}

/* One at a time gets in; the others are told -EBUSY. */
struct race {
    struct weft_coroutine *coroutine;
    long successes;
    int wrong;
};

static void *count_resumes(void *value, void *argument)
{
    long *resumes = argument;
    while (!value) {
        ++*resumes;
        value = weft_coroutine_yield(NULL);
    }
    return NULL;
}

static void *resume_often(void *argument)
{
    struct race *race = argument;
    for (int i = 0; i < 20000; i++) {
        int result = weft_coroutine_resume(race->coroutine, NULL, NULL);
        race->successes += result == 0;
        race->wrong += result != 0 && result != -EBUSY;
    }
    return NULL;
}

static void test_racing_threads_resume_one_at_a_time(void **state)
{
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    struct race races[THREADS];
    long resumes = 0, successes = 0;
    struct weft_coroutine *coroutine = create(count_resumes, &resumes);
    (void)state;
    for (int i = 0; i < THREADS; i++) {
        races[i] = (struct race){.coroutine = coroutine};
        assert_int_equal(pthread_create(&threads[i], NULL, resume_often, &races[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        successes += races[i].successes;
        assert_int_equal(races[i].wrong, 0);
    }
    assert_int_equal(resumes, successes);
    assert_int_equal(weft_coroutine_close(coroutine), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_pass_both_ways),
        cmocka_unit_test(test_the_value_out_may_be_ignored),
        cmocka_unit_test(test_a_coroutine_needs_a_function),
        cmocka_unit_test(test_a_stack_larger_than_memory_is_refused),
        cmocka_unit_test(test_a_dead_coroutine_is_not_resumed),
        cmocka_unit_test(test_the_running_and_the_normal_are_busy),
        cmocka_unit_test(test_status_goes_from_suspended_to_dead),
        cmocka_unit_test(test_a_suspended_coroutine_is_closed),
        cmocka_unit_test(test_a_yield_outside_returns_null),
        cmocka_unit_test(test_resumes_nest),
        cmocka_unit_test(test_many_coroutines_live_at_once),
        cmocka_unit_test(test_the_stack_holds_what_was_asked_for),
        cmocka_unit_test(test_another_thread_may_resume),
        cmocka_unit_test(test_racing_threads_resume_one_at_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
