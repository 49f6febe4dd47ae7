/* SPDX-License-Identifier: MIT */
/* The functions of core/memory.c (renamed by the build) against libc's. */
#include "unit.h"

#include <string.h>

void *weft_memcpy(void *restrict to, const void *restrict from, size_t size);
void *weft_memmove(void *to, const void *from, size_t size);
void *weft_memset(void *to, int byte, size_t size);
int weft_memcmp(const void *left, const void *right, size_t size);

enum { ROOM = 320, ROUNDS = 20000 };

static uint64_t seed;
static unsigned char ours[ROOM], libcs[ROOM];

static void fill(uint64_t *random)
{
    for (int i = 0; i < ROOM; i++)
        ours[i] = libcs[i] = (unsigned char)unit_random(random);
}

static void test_memcpy_copies_as_libc_does(void **state)
{
    unsigned char source[ROOM];
    uint64_t random = seed;
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        fill(&random);
        for (int i = 0; i < ROOM; i++)
            source[i] = (unsigned char)unit_random(&random);
        size_t to = unit_random(&random) % 32, from = unit_random(&random) % 32,
               size = unit_random(&random) % 257;
        assert_ptr_equal(weft_memcpy(ours + to, source + from, size), ours + to);
        memcpy(libcs + to, source + from, size);
        assert_memory_equal(ours, libcs, ROOM);
    }
}

static void test_memmove_copies_overlapping_both_ways(void **state)
{
    uint64_t random = seed;
    int forwards = 0, backwards = 0;
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        fill(&random);
        size_t size = unit_random(&random) % 200, to = unit_random(&random) % (ROOM - size),
               from = unit_random(&random) % (ROOM - size);
        forwards += to < from && from < to + size;
        backwards += from < to && to < from + size;
        assert_ptr_equal(weft_memmove(ours + to, ours + from, size), ours + to);
        memmove(libcs + to, libcs + from, size);
        assert_memory_equal(ours, libcs, ROOM);
    }
    assert_true(forwards > 1000 && backwards > 1000);
}

static void test_memmove_by_one_byte(void **state)
{
    uint64_t random = seed;
    (void)state;
    for (size_t size = 0; size < 64; size++) {
        fill(&random);
        weft_memmove(ours + 1, ours, size);
        memmove(libcs + 1, libcs, size);
        assert_memory_equal(ours, libcs, ROOM);
        weft_memmove(ours, ours + 1, size);
        memmove(libcs, libcs + 1, size);
        assert_memory_equal(ours, libcs, ROOM);
        weft_memmove(ours, ours, size);
        assert_memory_equal(ours, libcs, ROOM);
    }
}

static void test_memmove_leaves_the_direction_flag_clear(void **state)
{
    unsigned long flags;
    (void)state;
    weft_memmove(ours + 8, ours, 64);
    __asm__ volatile("pushfq\n\tpopq %0" : "=r"(flags));
    assert_int_equal(flags & 0x400, 0);
}

static void test_memset_sets_just_its_bytes(void **state)
{
    uint64_t random = seed;
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        fill(&random);
        size_t to = unit_random(&random) % 32, size = unit_random(&random) % 257;
        int byte = (int)unit_random(&random); /* converted to unsigned char */
        assert_ptr_equal(weft_memset(ours + to, byte, size), ours + to);
        memset(libcs + to, byte, size);
        assert_memory_equal(ours, libcs, ROOM);
    }
}

static int sign(int number)
{
    return (number > 0) - (number < 0);
}

static void test_memcmp_has_the_sign_of_libcs(void **state)
{
    uint64_t random = seed;
    int seen[3] = {0};
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        fill(&random);
        size_t size = unit_random(&random) % 64;
        if (round % 3)
            ours[unit_random(&random) % 64] = (unsigned char)unit_random(&random);
        int result = sign(weft_memcmp(ours, libcs, size));
        assert_int_equal(result, sign(memcmp(ours, libcs, size)));
        seen[result + 1]++;
    }
    assert_true(seen[0] > 500 && seen[1] > 500 && seen[2] > 500);
    assert_int_equal(weft_memcmp("\x80", "\x7f", 1) > 0, 1); /* unsigned */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memcpy_copies_as_libc_does),
        cmocka_unit_test(test_memmove_copies_overlapping_both_ways),
        cmocka_unit_test(test_memmove_by_one_byte),
        cmocka_unit_test(test_memmove_leaves_the_direction_flag_clear),
        cmocka_unit_test(test_memset_sets_just_its_bytes),
        cmocka_unit_test(test_memcmp_has_the_sign_of_libcs),
    };
    seed = unit_seed();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
