/* SPDX-License-Identifier: MIT */
/* Guards of stacks, by markers and without, and what else is asked of the kernel for a stack. */
#include "pool.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static void test_a_guard_is_as_large_as_was_asked_for(void **state)
{
    static const size_t guards[] = {4 * KIB, 64 * KIB, 8 * KIB, 0, MIB, 4 * KIB};
    (void)state;
    struct weft_stack stack = take(SIZE);
    for (size_t i = 0; i < sizeof guards / sizeof *guards; i++) {
        size_t guard = guards[i];
        assert_int_equal(weft_stack_set_guard(&stack, guard), 0);
        stack = weft_stack_around(stack.low);
        assert_int_equal(stack.guard, guard);
        for (size_t at = 0; at < 2 * MIB; at += 4 * KIB)
            assert_int_equal(writable(stack.low + at), at >= guard);
    }
    weft_stack_give(&stack);
    struct weft_stack again = take(SIZE);
    assert_int_equal(again.guard, 4 * KIB); /* what the last holder left */
    assert_false(writable(again.low));
    weft_stack_give(&again);
}

static void test_guards_cost_no_mappings(void **state)
{
    struct weft_stack stack[MANY];
    (void)state;
    size_t before = mappings();
    for (size_t i = 0; i < MANY; i++) {
        stack[i] = take(SIZE);
        assert_int_equal(weft_stack_set_guard(&stack[i], 4 * KIB), 0);
        assert_false(writable(stack[i].low));
    }
    if (weft_stacks_count().protections == 0)
        assert_in_range(mappings(), before, before + 2 * MANY / 100);
    for (size_t i = 0; i < MANY; i++)
        weft_stack_give(&stack[i]);
}

static void test_an_altered_stack_is_new_when_taken_again(void **state)
{
    (void)state;
    struct weft_stack other = take(SIZE), stack = take(SIZE);
    memset(stack.low + SIZE - MIB, 1, MIB);
    assert_int_equal(mprotect(stack.low + MIB, 4 * KIB, PROT_READ), 0);
    assert_int_equal(mprotect(stack.low + SIZE - 4 * KIB, 4 * KIB, PROT_NONE), 0);
    weft_stack_alter(&stack);
    weft_stack_give(&stack);
    struct weft_stack again = take(SIZE);
    assert_ptr_equal(again.low, stack.low);
    for (size_t at = 0; at < SIZE; at += 4 * KIB)
        assert_true(writable(again.low + at));
    weft_stack_give(&again);
    weft_stack_give(&other);
}

/* A kernel without MADV_GUARD_INSTALL. */
static bool forbid_guards(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_madvise, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 102, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}

static int guards_without_markers(void)
{
    enum { STACKS = 20000 };
    if (!forbid_guards())
        return 2;
    static struct weft_stack stack[STACKS];
    size_t guarded = 0;
    for (int i = 0; i < STACKS; i++) {
        stack[i] = take(SIZE);
        if (!stack[i].low || weft_stack_set_guard(&stack[i], 4 * KIB) != 0)
            return 3;
        if (i % 1000 == 0)
            guarded += !writable(stack[i].low);
        if (!writable(stack[i].low + 4 * KIB))
            return 4;
    }
    weft_stacks_verify();
    size_t protections = weft_stacks_count().protections;
    if (protections < 1000 || guarded != (protections + 999) / 1000)
        return 5;
    size_t limit = 0;
    FILE *file = fopen("/proc/sys/vm/max_map_count", "r");
    if (!file || fscanf(file, "%zu", &limit) != 1 || protections > limit / 4 || mappings() > limit / 2 + 1000)
        return 6;
    fclose(file);
    struct weft_stack first = weft_stack_around(stack[0].low);
    if (weft_stack_set_guard(&first, 0) != 0 || !writable(first.low))
        return 7;
    for (int i = 0; i < STACKS; i++) {
        struct weft_stack one = weft_stack_around(stack[i].low);
        weft_stack_give(&one);
    }
    weft_stacks_verify();
    return weft_stacks_count().live == 0 ? 0 : 8;
}

static void test_without_guard_markers_half_of_the_mappings_are_left_alone(void **state)
{
    (void)state;
    assert_int_equal(in_child(guards_without_markers), 0);
}

/* The flags of the mapping around an address, as /proc/self/smaps has them. */
static bool has_flag(const void *address, const char *flag)
{
    char line[4096];
    bool inside = false, has = false;
    FILE *smaps = fopen("/proc/self/smaps", "r");
    assert_non_null(smaps);
    while (fgets(line, sizeof line, smaps)) {
        unsigned long from, to;
        if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
            inside = from <= (uintptr_t)address && (uintptr_t)address < to;
        else if (inside && strncmp(line, "VmFlags:", 8) == 0)
            has = strstr(line, flag) != NULL;
    }
    fclose(smaps);
    return has;
}

/* Or the first touch of a stack would take 2 MiB where huge pages are given without being asked for. (From
 * Linux 6.7 on MAP_STACK alone sees to it.) */
static void test_stacks_get_no_huge_pages(void **state)
{
    struct weft_stack stack[8];
    (void)state;
    for (int i = 0; i < 8; i++) {
        stack[i] = take(SIZE);
        assert_true(has_flag(stack[i].low + SIZE - 1, " nh"));
    }
    weft_stack_alter(&stack[3]);
    for (int i = 0; i < 8; i++)
        weft_stack_give(&stack[i]);
    for (int i = 0; i < 8; i++) { /* one of them mapped anew */
        stack[i] = take(SIZE);
        assert_true(has_flag(stack[i].low + SIZE - 1, " nh"));
    }
    for (int i = 0; i < 8; i++)
        weft_stack_give(&stack[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        stack_test(test_a_guard_is_as_large_as_was_asked_for),
        stack_test(test_guards_cost_no_mappings),
        stack_test(test_an_altered_stack_is_new_when_taken_again),
        stack_test(test_without_guard_markers_half_of_the_mappings_are_left_alone),
        stack_test(test_stacks_get_no_huge_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
