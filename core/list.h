/* SPDX-License-Identifier: MIT */
/*
 * Intrusive circular doubly linked lists. A node that is in no list points to itself. Its own `next` is
 * stored atomically: whether it is linked may be looked at by one who does not hold the list
 * (weft_futex_abandon).
 */
#ifndef WEFT_CORE_LIST_H
#define WEFT_CORE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct weft_list {
    struct weft_list *next, *previous;
};

#define weft_container(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

static inline void weft_list_init(struct weft_list *node)
{
    __atomic_store_n(&node->next, node, __ATOMIC_RELAXED);
    node->previous = node;
}

static inline bool weft_list_empty(const struct weft_list *list)
{
    return list->next == list;
}

static inline void weft_list_append(struct weft_list *list, struct weft_list *node)
{
    __atomic_store_n(&node->next, list, __ATOMIC_RELAXED);
    node->previous = list->previous;
    __atomic_store_n(&list->previous->next, node, __ATOMIC_RELAXED);
    list->previous = node;
}

/* Takes the node out of its list; harmless when it is in none. */
static inline void weft_list_remove(struct weft_list *node)
{
    __atomic_store_n(&node->previous->next, node->next, __ATOMIC_RELAXED);
    node->next->previous = node->previous;
    weft_list_init(node);
}

#endif
