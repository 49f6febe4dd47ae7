/* SPDX-License-Identifier: MIT */
/* Queues of coroutines, linked by `next`: who is in one is in no other. */
#ifndef WEFT_CORE_QUEUE_H
#define WEFT_CORE_QUEUE_H

#include "coroutine.h"
#include "hint.h"

/* `head` and `length` are hints to who does not own the queue. */
struct queue {
    struct coroutine *head, *tail;
    size_t length;
};

static inline void weft_queue_append(struct queue *queue, struct coroutine *coroutine)
{
    coroutine->next = NULL;
    if (queue->tail)
        queue->tail->next = coroutine;
    else
        weft_hint_set(queue->head, coroutine);
    queue->tail = coroutine;
    weft_hint_add(queue->length, 1);
}

static inline void weft_queue_prepend(struct queue *queue, struct coroutine *coroutine)
{
    coroutine->next = queue->head;
    weft_hint_set(queue->head, coroutine);
    if (!queue->tail)
        queue->tail = coroutine;
    weft_hint_add(queue->length, 1);
}

/* The first, or NULL. */
static inline struct coroutine *weft_queue_take(struct queue *queue)
{
    struct coroutine *coroutine = queue->head;
    if (coroutine) {
        weft_hint_set(queue->head, coroutine->next);
        if (!queue->head)
            queue->tail = NULL;
        weft_hint_add(queue->length, -1);
    }
    return coroutine;
}

/* Returns false when it is not in the queue. O(length). */
static inline bool weft_queue_remove(struct queue *queue, struct coroutine *coroutine)
{
    struct coroutine *before = NULL, *here = queue->head;
    while (here && here != coroutine) {
        before = here;
        here = here->next;
    }
    if (!here)
        return false;
    if (before)
        before->next = here->next;
    else
        weft_hint_set(queue->head, here->next);
    if (queue->tail == here)
        queue->tail = before;
    weft_hint_add(queue->length, -1);
    return true;
}

#endif
