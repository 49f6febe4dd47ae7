/* SPDX-License-Identifier: MIT */
/* Intrusive circular doubly linked lists. A node that is in no list points to itself. */
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
    node->next = node->previous = node;
}

static inline bool weft_list_empty(const struct weft_list *list)
{
    return list->next == list;
}

static inline void weft_list_append(struct weft_list *list, struct weft_list *node)
{
    node->next = list;
    node->previous = list->previous;
    list->previous->next = node;
    list->previous = node;
}

/* Takes the node out of its list; harmless when it is in none. */
static inline void weft_list_remove(struct weft_list *node)
{
    node->previous->next = node->next;
    node->next->previous = node->previous;
    weft_list_init(node);
}

#endif
