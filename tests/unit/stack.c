/* SPDX-License-Identifier: MIT */
/* The pool of stacks: what is taken and given back, and how much memory it keeps. */
#include "pool.h"

#include <pthread.h>
#include <sys/resource.h>

static void test_stacks_are_zero_distinct_and_found_by_any_address(void **state)
{
    struct weft_stack stack[MANY];
    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        stack[i] = take(SIZE);
        assert_non_null(stack[i].low);
        char *top = stack[i].low + SIZE;
        assert_int_equal((uintptr_t)top % 4096, 0);
        for (char *byte = top - 64 * KIB; byte < top; byte += 512)
            assert_int_equal(*byte, 0);
        memcpy(top - sizeof i, &i, sizeof i);
        assert_ptr_equal(weft_stack_around(top - 1).low, stack[i].low);
        assert_ptr_equal(weft_stack_around(stack[i].low + SIZE / 2).low, stack[i].low);
    }
    for (size_t i = 0; i < MANY; i++) {
        assert_memory_equal(stack[i].low + SIZE - sizeof i, &i, sizeof i);
        weft_stack_give(&stack[i]);
        assert_int_equal(weft_stack_around(stack[i].low).size, 0);
    }
}

static void test_memory_that_is_no_stack_is_none(void **state)
{
    char local = 0;
    (void)state;
    assert_int_equal(weft_stack_around(&local).size, 0);
    assert_int_equal(weft_stack_around(NULL).size, 0);
    assert_int_equal(weft_stack_around((void *)UINTPTR_MAX).size, 0);
    struct weft_stack stack = take(64 * KIB);
    assert_int_equal(weft_stack_around(stack.low + stack.size).size, 0); /* the neighbour is not taken */
    weft_stack_give(&stack);
}

static void test_sizes_that_the_pool_does_not_serve(void **state)
{
    (void)state;
    assert_null(weft_stack_take(0));
    assert_null(weft_stack_take(8 * KIB));
    assert_null(weft_stack_take(64 * KIB + 1));
    assert_null(weft_stack_take((size_t)1 << 30));
}

static void test_a_used_stack_comes_back_zero(void **state)
{
    (void)state;
    for (int round = 0; round < 100; round++) {
        struct weft_stack stack = take(SIZE);
        size_t deep = (size_t)(round % 10 + 1) * 40 * KIB;
        for (size_t i = 1; i <= deep; i += 64)
            if (stack.low[SIZE - i] != 0)
                fail_msg("round %d: the byte %zu from the top is %d", round, i, stack.low[SIZE - i]);
        memset(stack.low + SIZE - deep, 0x5a, deep);
        if (round % 3)
            weft_stack_trim(&stack, stack.low + SIZE - 5000);
        weft_stack_give(&stack);
        weft_stacks_verify();
    }
}

static void test_the_stack_given_last_is_taken_first_and_still_warm(void **state)
{
    (void)state;
    struct weft_stack first = take(SIZE), second = take(SIZE);
    first.low[SIZE - 1] = second.low[SIZE - 1] = 1;
    weft_stack_give(&second);
    weft_stack_give(&first);
    struct weft_stack again = take(SIZE);
    assert_ptr_equal(again.low, first.low);
    assert_int_equal(resident(&again), 2);
    weft_stack_give(&again);
}

static void test_deep_stacks_keep_little_when_given_back(void **state)
{
    (void)state;
    struct weft_stack other = take(SIZE), stack = take(SIZE); /* `other` keeps the region mapped */
    memset(stack.low + MIB, 1, SIZE - MIB);
    assert_true(resident(&stack) > 1500);
    weft_stack_give(&stack);
    assert_in_range(resident(&stack), 0, 4);
    weft_stack_give(&other);
}

static void test_trimming_is_put_off_but_not_for_ever(void **state)
{
    (void)state;
    struct weft_stack stack = take(SIZE);
    size_t most = 0, trimmed = 0;
    for (int end = 0; end < 1000; end++) {
        memset(stack.low + SIZE - MIB, 1, MIB);
        weft_stack_trim(&stack, stack.low + SIZE - 1000);
        size_t now = resident(&stack);
        most = now > most ? now : most;
        trimmed += now <= 2;
    }
    assert_int_equal(most, MIB / 4096);
    assert_in_range(trimmed, 3, 10);
    weft_stack_give(&stack);
}

static void test_what_is_put_off_is_bounded(void **state)
{
    struct weft_stack stack[64];
    size_t untrimmed = 0;
    (void)state;
    for (int i = 0; i < 64; i++) {
        stack[i] = take(SIZE);
        memset(stack[i].low + SIZE - MIB, 1, MIB);
        weft_stack_trim(&stack[i], stack[i].low + SIZE - 1000);
        untrimmed += resident(&stack[i]) > 2;
    }
    assert_in_range(untrimmed, 1, 128 * MIB / SIZE);
    for (int i = 0; i < 64; i++)
        weft_stack_give(&stack[i]);
}

static void test_regions_of_ended_threads_are_unmapped(void **state)
{
    static struct weft_stack stack[MANY];
    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        stack[i] = take(SIZE);
        stack[i].low[SIZE - 1] = 1;
    }
    assert_true(weft_stacks_count().regions >= MANY / 127);
    for (size_t i = 0; i < MANY; i++)
        weft_stack_give(&stack[i]);
    struct weft_stack_counts counts = weft_stacks_count();
    assert_int_equal(counts.live, 0);
    assert_in_range(counts.warm_pages, 0, 127 * 4);
}

static void test_more_sizes_than_the_pool_has_room_for(void **state)
{
    (void)state;
    for (size_t size = 32 * KIB; size < 4 * MIB; size += 32 * KIB) {
        struct weft_stack stack = take(size);
        assert_non_null(stack.low);
        memset(stack.low, 1, size);
        weft_stack_give(&stack);
    }
    struct weft_stack held[64];
    size_t taken = 0, refused = 0;
    for (size_t i = 0; i < 64; i++) {
        held[taken] = take(64 * KIB + i * 4 * KIB);
        held[taken].low ? taken++ : refused++;
    }
    assert_true(taken >= 8 && refused >= 8);
    while (taken > 0)
        weft_stack_give(&held[--taken]);
}

static int take_under_a_limit(void)
{
    struct rlimit limit = {(rlim_t)64 << 30, (rlim_t)64 << 30};
    setrlimit(RLIMIT_AS, &limit);
    return weft_stack_take(48 * KIB) == NULL ? 0 : 1;
}

static void test_a_limit_of_the_address_space_turns_the_pool_off(void **state)
{
    (void)state;
    assert_int_equal(in_child(take_under_a_limit), 0);
}

static int lock_and_take(void)
{
    if (mlockall(MCL_FUTURE) != 0)
        return 0; /* not permitted */
    if (weft_stack_take(48 * KIB))
        return 1;
    munlockall();
    struct weft_stack stack = take(48 * KIB);
    return stack.low ? 0 : 2;
}

static void test_the_pool_gives_nothing_while_new_memory_is_locked(void **state)
{
    (void)state;
    assert_int_equal(in_child(lock_and_take), 0);
}

static void test_of_what_is_retired_only_the_live_is_mapped(void **state)
{
    struct weft_stack first = take(SIZE), second = take(SIZE), third = take(SIZE);
    (void)state;
    first.low[SIZE - 1] = third.low[SIZE - 1] = 'l';
    weft_stack_give(&second);
    weft_stacks_retire();
    weft_stacks_verify();
    assert_true(writable(first.low) && writable(third.low) && !writable(second.low));
    assert_true(!writable(first.low - KIB) && !writable(third.low + SIZE));
    assert_ptr_equal(weft_stack_around(third.low + 1).low, third.low);
    assert_int_equal(weft_stack_around(second.low).size, 0);
    struct weft_stack fourth = take(SIZE);
    assert_int_equal(weft_stacks_count().regions, 2);
    assert_int_equal(first.low[SIZE - 1] + third.low[SIZE - 1], 2 * 'l');
    weft_stack_give(&first);
    weft_stack_give(&third);
    assert_int_equal(weft_stacks_count().regions, 1);
    assert_false(writable(third.low));
    weft_stack_give(&fourth);
    weft_stacks_retire();
    assert_int_equal(weft_stacks_count().regions, 0);
}

static void test_a_stack_that_was_locked_comes_back_zero(void **state)
{
    struct weft_stack stack = take(SIZE);
    (void)state;
    memset(stack.low + SIZE - 64 * KIB, 1, 64 * KIB);
    if (mlock(stack.low + SIZE - 64 * KIB, 64 * KIB) != 0)
        skip();
    weft_stack_trim(&stack, stack.low + SIZE - 1000);
    weft_stack_give(&stack);
    struct weft_stack again = take(SIZE);
    assert_ptr_equal(again.low, stack.low);
    for (size_t i = 1; i <= 64 * KIB; i += 64)
        assert_int_equal(again.low[SIZE - i], 0);
    weft_stack_give(&again);
}

static void *use_pool(void *argument)
{
    uint64_t random = (uintptr_t)argument;
    struct weft_stack held[32] = {0};
    for (int step = 0; step < 10000; step++) {
        struct weft_stack *one = &held[unit_random(&random) % 32];
        size_t size = (size_t)(unit_random(&random) % 4 + 4) * 16 * KIB;
        if (!one->low) {
            char *low = weft_stack_take(size);
            if (!low)
                return "no stack";
            *one = weft_stack_around(low);
            for (size_t i = 1; i < 32 * KIB; i += 1024)
                if (low[size - i])
                    return "not zero";
            memset(low + size - 24 * KIB, 1, 24 * KIB);
            weft_stack_set_guard(one, unit_random(&random) % 3 * 4 * KIB);
            *one = weft_stack_around(low);
        } else {
            if (step % 2)
                weft_stack_trim(one, one->low + one->size - 2000);
            weft_stack_give(one);
            one->low = NULL;
            if (step % 500 == 0)
                weft_stacks_retire();
        }
    }
    for (int i = 0; i < 32; i++)
        if (held[i].low)
            weft_stack_give(&held[i]);
    return NULL;
}

static void test_several_threads_use_the_pool_at_once(void **state)
{
    pthread_t thread[4];
    uint64_t seed = unit_seed();
    (void)state;
    for (uintptr_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, use_pool, (void *)(seed + i)), 0);
    for (int i = 0; i < 4; i++) {
        void *wrong;
        pthread_join(thread[i], &wrong);
        if (wrong)
            fail_msg("%s", (char *)wrong);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        stack_test(test_stacks_are_zero_distinct_and_found_by_any_address),
        stack_test(test_memory_that_is_no_stack_is_none),
        stack_test(test_sizes_that_the_pool_does_not_serve),
        stack_test(test_a_used_stack_comes_back_zero),
        stack_test(test_the_stack_given_last_is_taken_first_and_still_warm),
        stack_test(test_deep_stacks_keep_little_when_given_back),
        stack_test(test_trimming_is_put_off_but_not_for_ever),
        stack_test(test_what_is_put_off_is_bounded),
        stack_test(test_regions_of_ended_threads_are_unmapped),
        stack_test(test_more_sizes_than_the_pool_has_room_for),
        stack_test(test_a_limit_of_the_address_space_turns_the_pool_off),
        stack_test(test_the_pool_gives_nothing_while_new_memory_is_locked),
        stack_test(test_of_what_is_retired_only_the_live_is_mapped),
        stack_test(test_a_stack_that_was_locked_comes_back_zero),
        stack_test(test_several_threads_use_the_pool_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
