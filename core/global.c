/* SPDX-License-Identifier: MIT */
/* See global.h. */
#include "global.h"

#include "balance.h"
#include "lock.h"
#include "monitor.h"

static struct weft_lock lock; /* protects the queue; no other is taken with it held */
static struct queue queue;
static atomic_size_t length; /* of the queue, readable without the lock */

void weft_global_append(struct coroutine *coroutine)
{
    weft_lock_acquire(&lock);
    /* Those with priorities come first. */
    struct coroutine **place = &queue.head;
    if (queue.tail && queue.tail->priority >= coroutine->priority)
        place = &queue.tail->next;
    else
        while (*place && (*place)->priority >= coroutine->priority)
            place = &(*place)->next;
    coroutine->next = *place;
    *place = coroutine;
    if (!coroutine->next)
        queue.tail = coroutine;
    atomic_store(&length, ++queue.length);
    weft_lock_release(&lock);
    if (!weft_balance_wake_one())
        weft_monitor_wake(); /* no processor is idle: who has one may keep it for long */
}

struct coroutine *weft_global_take(void)
{
    if (atomic_load(&length) == 0)
        return NULL;
    weft_lock_acquire(&lock);
    struct coroutine *coroutine = queue.head;
    if (coroutine) {
        queue.head = coroutine->next;
        if (!queue.head)
            queue.tail = NULL;
        atomic_store(&length, --queue.length);
    }
    weft_lock_release(&lock);
    return coroutine;
}

bool weft_global_empty(void)
{
    return atomic_load(&length) == 0;
}

struct coroutine *weft_global_share(struct processor *processor)
{
    size_t count = atomic_load_explicit(&length, memory_order_relaxed);
    if (__builtin_expect(count == 0, 1))
        return NULL;
    struct coroutine *stray;
    for (count = count / weft_processor_count + 1; count > 0 && (stray = weft_global_take()); count--) {
        if (stray->bound)
            return stray;
        weft_processor_append(processor, stray);
    }
    return NULL;
}

void weft_global_forget(void)
{
    lock = (struct weft_lock){0};
    queue = (struct queue){0};
    atomic_store(&length, 0);
}
