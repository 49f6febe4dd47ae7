/* SPDX-License-Identifier: MIT */
/*
 * The switch. Each test runs twice: with wrfsbase (where there is FSGSBASE) and with arch_prctl.
 * The code on the other stack records; the main flow asserts.
 */
#include "unit.h"

#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../core/context.h"
#include "registers.h"

enum { STACK = 64 * 1024, BLOCK = 16 * 1024 };

static struct weft_context here, there;
static char *stack;
static char thread_block[BLOCK] __attribute__((aligned(64)));

static int set_up(void **state)
{
    (void)state;
    if (!stack)
        stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    here = (struct weft_context){.fs_base = weft_fs_base()};
    return stack == MAP_FAILED;
}

static bool on_stack(const void *address)
{
    return (const char *)address >= stack && (const char *)address < stack + STACK;
}

static void prepare(void (*entry)(void *), void *argument, uintptr_t fs_base)
{
    weft_context_prepare(&there, stack + STACK, fs_base, entry, argument);
}

/* A thread block of its own; its header copied for the stack protector's canary. */
static uintptr_t private_block(void)
{
    char *base = thread_block + BLOCK / 2;
    memcpy(base, (void *)weft_fs_base(), 64);
    ((char **)base)[0] = ((char **)base)[2] = base;
    return (uintptr_t)base;
}

static struct {
    void *argument, *frame;
    uintptr_t fs_base;
    int times;
} seen;

static void record_and_return(void *argument)
{
    for (;;) {
        seen.argument = argument;
        seen.frame = __builtin_frame_address(0);
        seen.fs_base = weft_fs_base();
        seen.times++;
        weft_switch(&there, &here, NULL, NULL);
    }
}

static void test_a_prepared_context_calls_its_entry_on_its_stack(void **state)
{
    (void)state;
    seen.times = 0;
    prepare(record_and_return, &seen, here.fs_base);
    assert_true(on_stack(there.rsp));
    weft_switch(&here, &there, NULL, NULL);
    assert_int_equal(seen.times, 1);
    assert_ptr_equal(seen.argument, &seen);
    assert_true(on_stack(seen.frame));
    assert_int_equal((uintptr_t)seen.frame % 16, 0); /* rbp of a function called with an aligned stack */
    weft_switch(&here, &there, NULL, NULL);
    assert_int_equal(seen.times, 2);
}

static void test_an_unaligned_top_is_aligned(void **state)
{
    (void)state;
    for (size_t off = 1; off < 32; off += 5) {
        weft_context_prepare(&there, stack + STACK - off, here.fs_base, record_and_return, &seen);
        weft_switch(&here, &there, NULL, NULL);
        assert_int_equal((uintptr_t)seen.frame % 16, 0);
        assert_true(on_stack(seen.frame));
    }
}

static void fill(struct registers *registers, uint64_t seed)
{
    uint64_t *words = (uint64_t *)registers;
    for (size_t i = 0; i < sizeof *registers / sizeof *words; i++)
        words[i] = unit_random(&seed);
}

enum { ROUNDS = 50 };

static struct {
    void *function; /* weft_switch or weft_switch_call */
    size_t compared;
    bool kept;
} exchange;

static void other_side(void *argument)
{
    void *const arguments[4] = {&there, &here, NULL, NULL};
    (void)argument;
    for (uint64_t round = 0;; round++) {
        struct registers in, out;
        fill(&in, round * 2 + 1);
        registers_across(exchange.function, arguments, &in, &out);
        exchange.kept &= memcmp(&in, &out, exchange.compared) == 0;
    }
}

static void exchange_registers(void *function, size_t compared)
{
    void *const arguments[4] = {&here, &there, NULL, NULL};
    exchange.function = function;
    exchange.compared = compared;
    exchange.kept = true;
    prepare(other_side, NULL, private_block());
    for (uint64_t round = 0; round < ROUNDS; round++) {
        struct registers in, out;
        fill(&in, round * 2);
        registers_across(function, arguments, &in, &out);
        assert_memory_equal(&in, &out, compared);
        assert_true(exchange.kept);
    }
}

static void test_preserved_registers_are_per_context(void **state)
{
    (void)state;
    exchange_registers(weft_switch, offsetof(struct registers, vector));
}

static void test_the_switch_of_a_call_keeps_all_vector_registers_too(void **state)
{
    (void)state;
    exchange_registers(weft_switch_call, sizeof(struct registers));
}

static void spoil_vectors(void *argument)
{
    struct registers in, out;
    void *const arguments[4] = {NULL};
    fill(&in, 99);
    registers_across(weft_fs_base, arguments, &in, &out);
    *(int *)argument += 1;
}

static void test_vectors_preserved_keeps_them_over_a_function(void **state)
{
    int calls = 0;
    void *const arguments[4] = {spoil_vectors, &calls, NULL, NULL};
    struct registers in, out;
    (void)state;
    fill(&in, 5);
    registers_across(weft_vectors_preserved, arguments, &in, &out);
    assert_int_equal(calls, 1);
    assert_memory_equal(&in, &out, sizeof in);
}

static struct floating other_floating[3];

static void set_and_get_floating(void *argument)
{
    const struct floating *wanted = argument;
    floating_store(&other_floating[0]); /* inherited */
    weft_switch(&there, &here, NULL, NULL);
    floating_load(wanted);
    weft_switch(&there, &here, NULL, NULL);
    floating_store(&other_floating[1]);
    weft_switch_call(&there, &here, NULL, NULL);
    floating_store(&other_floating[2]);
    weft_switch(&there, &here, NULL, NULL);
}

static void assert_floating(const struct floating *actual, const struct floating *expected)
{
    assert_int_equal(actual->mxcsr, expected->mxcsr);
    assert_int_equal(actual->control, expected->control);
    assert_int_equal(actual->flags, expected->flags);
}

static void test_the_floating_point_environment_is_per_context(void **state)
{
    /* MXCSR: rounding in bits 13-14, flags in 0-5; x87: rounding in 10-11, precision in 8-9. */
    const struct floating initial = {0x1f80, 0x037f, 0},
                          cases[][2] = {
                              {{0x5f80, 0x037f, 0}, {0x1f80, 0x037f, 0}},    /* rounding of SSE only */
                              {{0x1f80, 0x0b7f, 0}, {0x1f80, 0x077f, 0}},    /* rounding of x87 only */
                              {{0x1f80, 0x037f, 0x20}, {0x1f80, 0x037f, 0}}, /* x87 flags only */
                              {{0x1f80, 0x037f, 0}, {0x1f80, 0x037f, 0x3d}},
                              {{0x1fa4, 0x037f, 0x04}, {0x7f90, 0x0f7f, 0x29}},
                              {{0x9fc0, 0x007f, 0x01}, {0x1f80, 0x027f, 0x3f}},
                          };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct floating now;
        const struct floating *mine = &cases[i][0], *others = &cases[i][1];
        floating_load(mine);
        prepare(set_and_get_floating, (void *)others, here.fs_base);
        floating_load(&initial);
        weft_switch(&here, &there, NULL, NULL);
        floating_store(&now);
        assert_floating(&now, &initial);
        assert_floating(&other_floating[0], mine); /* of the one who prepared it */
        floating_load(mine);
        weft_switch(&here, &there, NULL, NULL); /* the other one loads its own */
        floating_store(&now);
        assert_floating(&now, mine);
        weft_switch_call(&here, &there, NULL, NULL);
        floating_store(&now);
        assert_floating(&now, mine);
        assert_floating(&other_floating[1], others);
        weft_switch_call(&here, &there, NULL, NULL);
        floating_store(&now);
        assert_floating(&now, mine);
        assert_floating(&other_floating[2], others);
        floating_load(&initial);
    }
}

static void wait_for_x87(void *argument)
{
    volatile long double one = 1;
    const struct floating unmasked = {0x1f80, 0x037b, 0}; /* a division by zero traps */
    (void)argument;
    floating_load(&unmasked);
    weft_switch(&there, &here, NULL, NULL);
    one = one + one; /* a pending exception would trap here at the latest */
    weft_switch(&there, &here, NULL, NULL);
}

/* Natively the flags of one thread never meet the masks of another. */
static void test_flags_of_one_context_do_not_trap_in_another_that_unmasks_them(void **state)
{
    (void)state;
    int status;
    pid_t child = fork();
    if (child == 0) {
        const struct floating raised = {0x1f80, 0x037f, 0x04};
        signal(SIGFPE, SIG_DFL); /* cmocka's handler would jump away */
        prepare(wait_for_x87, NULL, here.fs_base);
        weft_switch(&here, &there, NULL, NULL);
        floating_load(&raised);
        weft_switch(&here, &there, NULL, NULL);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_false(WIFSIGNALED(status));
}

static struct {
    void *frame, *argument;
    uintptr_t fs_base;
    bool aligned, stored;
    const struct registers *expected;
    struct weft_context *from;
    size_t skipped; /* words between the image and r15 */
} at_after;

static void look(void *argument)
{
    at_after.argument = argument;
    at_after.frame = __builtin_frame_address(0);
    at_after.aligned = (uintptr_t)at_after.frame % 16 == 0;
    at_after.fs_base = weft_fs_base();
    /* The picture of context.h: resume address, image, vectors, then r15 r14 r13 r12 rbx rbp. */
    const uint64_t *words = (const uint64_t *)at_after.from->rsp + 2 + at_after.skipped;
    const uint64_t *expected = at_after.expected->preserved;
    at_after.stored = words[0] == expected[5] && words[1] == expected[4] && words[2] == expected[3] &&
                      words[3] == expected[2] && words[4] == expected[0] && words[5] == expected[1];
    if (at_after.skipped)
        at_after.stored &=
            memcmp((const uint64_t *)at_after.from->rsp + 3, at_after.expected->vector, 256) == 0;
}

static void run_after_on(void *function, size_t skipped)
{
    struct registers in, out;
    void *const arguments[4] = {&here, &there, look, &in};
    memset(&at_after, 0, sizeof at_after);
    fill(&in, 17);
    at_after.from = &here;
    at_after.expected = &in;
    at_after.skipped = skipped;
    here.rsp = NULL;
    prepare(record_and_return, NULL, private_block());
    registers_across(function, arguments, &in, &out);
    assert_ptr_equal(at_after.argument, &in);
    assert_true(on_stack(at_after.frame)); /* that of the context that comes next */
    assert_true(at_after.aligned);
    assert_true(at_after.stored);
    assert_int_equal(at_after.fs_base, there.fs_base);
    assert_memory_equal(&in, &out, offsetof(struct registers, vector));
}

static void test_after_runs_on_the_next_stack_when_all_is_saved(void **state)
{
    (void)state;
    run_after_on(weft_switch, 0);
}

static void test_after_of_a_call_finds_the_vectors_saved(void **state)
{
    (void)state;
    run_after_on(weft_switch_call, 34);
}

static void spoil_and_count(void *argument)
{
    spoil_vectors(argument);
}

static void switch_back_with_spoiling_after(void *argument)
{
    for (;;)
        weft_switch_call(&there, &here, spoil_and_count, argument);
}

static void test_after_may_use_vector_registers(void **state)
{
    int calls = 0;
    struct registers in, out;
    void *const arguments[4] = {&here, &there, NULL, NULL};
    (void)state;
    prepare(switch_back_with_spoiling_after, &calls, here.fs_base);
    for (int round = 1; round < 5; round++) {
        fill(&in, (uint64_t)round);
        registers_across(weft_switch_call, arguments, &in, &out);
        assert_memory_equal(&in, &out, sizeof in);
        assert_int_equal(calls, round);
    }
}

static void test_the_fs_base_is_switched(void **state)
{
    (void)state;
    uintptr_t base = private_block();
    prepare(record_and_return, NULL, base);
    for (int round = 0; round < 3; round++) {
        seen.fs_base = 0;
        weft_switch(&here, &there, NULL, NULL);
        assert_int_equal(seen.fs_base, base);
        assert_int_equal(weft_fs_base(), here.fs_base);
        assert_int_not_equal(base, here.fs_base);
    }
}

static int without_fsgsbase(void **state)
{
    (void)state;
    weft_has_fsgsbase = 0;
    return set_up(state);
}

static int with_fsgsbase(void **state)
{
    weft_context_initialize();
    return set_up(state);
}

#define both(function) \
    cmocka_unit_test_setup(function, with_fsgsbase), cmocka_unit_test_setup(function, without_fsgsbase)

int main(void)
{
    const struct CMUnitTest tests[] = {
        both(test_a_prepared_context_calls_its_entry_on_its_stack),
        both(test_an_unaligned_top_is_aligned),
        both(test_preserved_registers_are_per_context),
        both(test_the_switch_of_a_call_keeps_all_vector_registers_too),
        both(test_vectors_preserved_keeps_them_over_a_function),
        both(test_the_floating_point_environment_is_per_context),
        both(test_flags_of_one_context_do_not_trap_in_another_that_unmasks_them),
        both(test_after_runs_on_the_next_stack_when_all_is_saved),
        both(test_after_of_a_call_finds_the_vectors_saved),
        both(test_after_may_use_vector_registers),
        both(test_the_fs_base_is_switched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
