/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <string.h>

#include "../../core/slab.h"

enum { OBJECTS = 20000, BLOCKS = 200, STEPS = 20000 };

struct object {
    uint64_t owner;
    char rest[72];
    void *link;
};

static void test_objects_are_distinct_and_aligned(void **state)
{
    static struct weft_slab slab = WEFT_SLAB_OF(struct object);
    static struct object *objects[OBJECTS];
    (void)state;
    for (size_t i = 0; i < OBJECTS; i++) {
        objects[i] = weft_slab_take(&slab);
        assert_non_null(objects[i]);
        assert_int_equal((uintptr_t)objects[i] % 16, 0);
        assert_int_equal(objects[i]->owner, 0); /* zeroed on first use */
        memset(objects[i], (int)(i % 251) + 1, sizeof *objects[i]);
        objects[i]->owner = i + 1;
    }
    assert_int_equal(slab.live, OBJECTS);
    for (size_t i = 0; i < OBJECTS; i++) {
        assert_int_equal(objects[i]->owner, i + 1);
        for (size_t k = 0; k < sizeof objects[i]->rest; k++)
            if (objects[i]->rest[k] != (char)(i % 251 + 1))
                fail_msg("object %zu overlaps another", i);
    }
    for (size_t i = 0; i < OBJECTS; i++)
        weft_slab_give(&slab, objects[i]);
    assert_int_equal(slab.live, 0);
}

static void test_a_given_object_is_taken_again_with_its_contents(void **state)
{
    static struct weft_slab slab = WEFT_SLAB_OF(struct object);
    (void)state;
    struct object *first = weft_slab_take(&slab), *second = weft_slab_take(&slab);
    memset(first, 0x5a, sizeof *first);
    struct object before = *first;
    weft_slab_give(&slab, first);
    assert_int_equal(slab.live, 1);
    struct object *again = weft_slab_take(&slab);
    assert_ptr_equal(again, first);
    assert_memory_equal(again, &before, offsetof(struct object, link));
    assert_ptr_not_equal(second, again);
}

static void test_no_mapping_is_made_while_freed_objects_are_left(void **state)
{
    static struct weft_slab slab = WEFT_SLAB_OF(struct object);
    void *objects[64];
    (void)state;
    for (int i = 0; i < 64; i++)
        objects[i] = weft_slab_take(&slab);
    char *fresh = slab.fresh;
    for (int round = 0; round < 100; round++) {
        for (int i = 0; i < 64; i++)
            weft_slab_give(&slab, objects[i]);
        for (int i = 0; i < 64; i++)
            objects[i] = weft_slab_take(&slab);
    }
    assert_ptr_equal(slab.fresh, fresh);
}

static void test_mapped_pages_are_zero_and_page_aligned(void **state)
{
    enum { SIZE = 3 * 4096 };
    (void)state;
    for (int round = 0; round < 10; round++) {
        char *pages = weft_pages_map(SIZE);
        assert_non_null(pages);
        assert_int_equal((uintptr_t)pages % 4096, 0);
        for (size_t i = 0; i < SIZE; i++)
            assert_int_equal(pages[i], 0);
        memset(pages, 1, SIZE);
        weft_pages_unmap(pages, SIZE);
    }
}

static void test_more_than_there_is_cannot_be_mapped(void **state)
{
    (void)state;
    assert_null(weft_pages_map((size_t)1 << 62));
}

static void test_reallocate_of_nothing_to_size_0_is_nothing(void **state)
{
    (void)state;
    assert_null(weft_reallocate(NULL, 0));
}

static void test_reallocate_grows_and_keeps_the_contents(void **state)
{
    (void)state;
    unsigned char *memory = NULL;
    long filled = 0;
    for (long size = 1; size < 1 << 20; size = size * 3 / 2 + 1) {
        memory = weft_reallocate(memory, size);
        assert_non_null(memory);
        assert_int_equal((uintptr_t)memory % 16, 0);
        for (long i = 0; i < filled; i++)
            if (memory[i] != (unsigned char)(i * 7))
                fail_msg("byte %ld is lost at size %ld", i, size);
        for (; filled < size; filled++)
            memory[filled] = (unsigned char)(filled * 7);
    }
    assert_null(weft_reallocate(memory, 0));
}

static void test_shrinking_keeps_the_place(void **state)
{
    (void)state;
    char *memory = weft_reallocate(NULL, 1000);
    memcpy(memory, "kept", 5);
    assert_ptr_equal(weft_reallocate(memory, 10), memory);
    assert_string_equal(memory, "kept");
    assert_null(weft_reallocate(memory, 0));
}

static void test_size_0_frees(void **state)
{
    (void)state;
    /* 48 bytes with the header are the smallest class: what is freed is the next to be taken. */
    void *small = weft_reallocate(NULL, 48);
    assert_null(weft_reallocate(small, 0));
    assert_ptr_equal(weft_reallocate(NULL, 40), small);
    assert_null(weft_reallocate(small, 0));
    /* A large block is unmapped: else this would need 64 TiB. */
    for (int i = 0; i < 65536; i++) {
        char *large = weft_reallocate(NULL, 1 << 30);
        assert_non_null(large);
        large[1 << 20] = 1;
        assert_null(weft_reallocate(large, 0));
    }
}

/* Sizes around every class of block, each filled to its last byte. */
static void test_blocks_of_random_sizes_do_not_overlap(void **state)
{
    static struct {
        unsigned char *memory;
        long size;
        unsigned char mark;
    } block[BLOCKS];
    uint64_t random = unit_seed();
    (void)state;
    for (int step = 0; step < STEPS; step++) {
        int i = (int)(unit_random(&random) % BLOCKS);
        for (long k = 0; k < block[i].size; k++)
            if (block[i].memory[k] != block[i].mark)
                fail_msg("byte %ld of %ld was overwritten", k, block[i].size);
        long size = (long)(unit_random(&random) % ((uint64_t)1 << unit_random(&random) % 18)),
             kept = block[i].size;
        if (unit_random(&random) % 3 == 0)
            size = 0;
        block[i].memory = weft_reallocate(block[i].memory, size);
        assert_int_equal(block[i].memory != NULL, size != 0);
        for (long k = 0; k < (size < kept ? size : kept); k++)
            if (block[i].memory[k] != block[i].mark)
                fail_msg("byte %ld of %ld was not kept", k, kept);
        block[i].size = size;
        block[i].mark = (unsigned char)step;
        if (size)
            memset(block[i].memory, block[i].mark, (size_t)size);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_objects_are_distinct_and_aligned),
        cmocka_unit_test(test_a_given_object_is_taken_again_with_its_contents),
        cmocka_unit_test(test_no_mapping_is_made_while_freed_objects_are_left),
        cmocka_unit_test(test_mapped_pages_are_zero_and_page_aligned),
        cmocka_unit_test(test_more_than_there_is_cannot_be_mapped),
        cmocka_unit_test(test_reallocate_of_nothing_to_size_0_is_nothing),
        cmocka_unit_test(test_reallocate_grows_and_keeps_the_contents),
        cmocka_unit_test(test_shrinking_keeps_the_place),
        cmocka_unit_test(test_size_0_frees),
        cmocka_unit_test(test_blocks_of_random_sizes_do_not_overlap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
