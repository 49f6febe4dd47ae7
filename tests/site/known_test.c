// SPDX-License-Identifier: MIT
// The libc that is known since the build: it must be known as a search would find it, and no other be taken
// for it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../preload/site_internal.h"
#include "wanted.h"

#include <string.h>

static bool wanted[WANTED_COUNT];

static struct weft_site_workspace *choose_in_libc(const struct weft_known_text *known)
{
    struct weft_site_table *table;
    const char *reason = "";
    assert_int_equal(weft_sites_find(&table, known, &reason), 0);
    struct weft_site_workspace *workspace = (struct weft_site_workspace *)table;
    assert_int_equal(weft_windows_choose(workspace, wanted, WANTED_COUNT, &reason), 0);
    return workspace;
}

static void assert_same_choice(const struct weft_site_workspace *a, const struct weft_site_workspace *b)
{
    assert_int_equal(a->table.count, b->table.count);
    assert_int_equal(a->slots_used, b->slots_used);
    for (size_t i = 0; i < a->table.count; i++) {
        const struct weft_site *one = &a->table.sites[i], *other = &b->table.sites[i];
        assert_ptr_equal(one->syscall, other->syscall);
        assert_int_equal(one->number, other->number);
        assert_int_equal(one->shape, other->shape);
        assert_int_equal(one->fate, other->fate);
        assert_ptr_equal(one->window, other->window);
        assert_ptr_equal(one->slot, other->slot);
        assert_int_equal(one->window_length, other->window_length);
        assert_int_equal(one->before_length, other->before_length);
        assert_int_equal(one->after_length, other->after_length);
        assert_memory_equal(one->original, other->original, sizeof(one->original));
    }
    assert_memory_equal(a->images, b->images, a->slots_used * sizeof(a->images[0]));
}

static void test_what_is_known_is_what_a_search_finds(void **state)
{
    (void)state;
    if (!weft_known_libc.build_id_length)
        skip(); /* a libc in parts, or without a build id */
    for (int all = 1; all >= 0; all--) {
        memset(wanted, all, sizeof(wanted));
        if (!all)
            wanted_fill(wanted);
        struct weft_site_workspace *known = choose_in_libc(&weft_known_libc),
                                   *searched = choose_in_libc(NULL);
        assert_true(known->table.known);
        assert_null(known->decoder.library);
        assert_false(searched->table.known);
        assert_same_choice(known, searched);
        weft_sites_release(&known->table);
        weft_sites_release(&searched->table);
    }
}

static void assert_searched(const struct weft_known_text *known)
{
    struct weft_site_table *table;
    const char *reason = "";
    assert_int_equal(weft_sites_find(&table, known, &reason), 0);
    assert_false(table->known);
    weft_sites_release(table);
}

static void test_another_libc_is_searched(void **state)
{
    (void)state;
    struct weft_known_text other = weft_known_libc;
    other.build_id[3] ^= 1;
    assert_searched(&other);
    other = weft_known_libc;
    other.size++;
    assert_searched(&other);
    other = weft_known_libc;
    other.checksum ^= 1; /* a breakpoint in a window, say */
    assert_searched(&other);
    assert_searched(&(struct weft_known_text){0});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_known_is_what_a_search_finds),
        cmocka_unit_test(test_another_libc_is_searched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
