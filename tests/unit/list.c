/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "../../core/list.h"

struct item {
    int number;
    struct weft_list node;
};

static void test_a_fresh_node_is_an_empty_list(void **state)
{
    struct weft_list list;
    (void)state;
    weft_list_init(&list);
    assert_true(weft_list_empty(&list));
    assert_ptr_equal(list.previous, &list);
}

static void test_append_keeps_the_order(void **state)
{
    struct weft_list list;
    struct item items[5];
    (void)state;
    weft_list_init(&list);
    for (int i = 0; i < 5; i++) {
        items[i].number = i;
        weft_list_append(&list, &items[i].node);
        assert_false(weft_list_empty(&list));
    }
    int seen = 0;
    for (struct weft_list *node = list.next; node != &list; node = node->next)
        assert_int_equal(weft_container(node, struct item, node)->number, seen++);
    assert_int_equal(seen, 5);
    for (struct weft_list *node = list.previous; node != &list; node = node->previous)
        assert_int_equal(weft_container(node, struct item, node)->number, --seen);
    assert_int_equal(seen, 0);
}

static void test_remove_takes_out_just_that_node(void **state)
{
    struct weft_list list;
    struct item items[3] = {{.number = 0}, {.number = 1}, {.number = 2}};
    (void)state;
    weft_list_init(&list);
    for (int i = 0; i < 3; i++)
        weft_list_append(&list, &items[i].node);
    weft_list_remove(&items[1].node);
    assert_ptr_equal(list.next, &items[0].node);
    assert_ptr_equal(items[0].node.next, &items[2].node);
    assert_ptr_equal(items[2].node.previous, &items[0].node);
    assert_ptr_equal(list.previous, &items[2].node);
    assert_true(weft_list_empty(&items[1].node)); /* in no list: points to itself */
}

static void test_removing_twice_is_harmless(void **state)
{
    struct weft_list list;
    struct item item;
    (void)state;
    weft_list_init(&list);
    weft_list_append(&list, &item.node);
    weft_list_remove(&item.node);
    weft_list_remove(&item.node);
    assert_true(weft_list_empty(&list));
    assert_true(weft_list_empty(&item.node));
    weft_list_append(&list, &item.node);
    assert_ptr_equal(list.next, &item.node);
    assert_ptr_equal(item.node.next, &list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_fresh_node_is_an_empty_list),
        cmocka_unit_test(test_append_keeps_the_order),
        cmocka_unit_test(test_remove_takes_out_just_that_node),
        cmocka_unit_test(test_removing_twice_is_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
