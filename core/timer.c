/* SPDX-License-Identifier: MIT */
/*
 * A 4-ary heap of pointers: half the depth of a binary one, and four children share a cache line.
 * Each timer knows its place, so that stopping one (nearly every timeout is stopped, not fired) finds
 * it without a search.
 */
#include "timer.h"

#include <errno.h>
#include <time.h>

#include "hint.h"
#include "slab.h"

enum { ARITY = 4 };

int64_t weft_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void put(struct weft_timers *timers, size_t place, struct weft_timer *timer)
{
    timers->heap[place] = timer;
    timer->place = (uint32_t)place + 1;
}

static void sift_up(struct weft_timers *timers, size_t place, struct weft_timer *timer)
{
    while (place > 0) {
        size_t parent = (place - 1) / ARITY;
        if (timers->heap[parent]->deadline <= timer->deadline)
            break;
        put(timers, place, timers->heap[parent]);
        place = parent;
    }
    put(timers, place, timer);
}

static void sift_down(struct weft_timers *timers, size_t place, struct weft_timer *timer)
{
    for (;;) {
        size_t first = place * ARITY + 1, least = first;
        if (first >= timers->count)
            break;
        for (size_t child = first + 1; child < first + ARITY && child < timers->count; child++)
            if (timers->heap[child]->deadline < timers->heap[least]->deadline)
                least = child;
        if (timers->heap[least]->deadline >= timer->deadline)
            break;
        put(timers, place, timers->heap[least]);
        place = least;
    }
    put(timers, place, timer);
}

int weft_timers_start(struct weft_timers *timers, struct weft_timer *timer, int64_t deadline)
{
    if (timers->count == timers->capacity) {
        size_t capacity = timers->capacity ? timers->capacity * 2 : 256;
        struct weft_timer **heap = weft_reallocate(timers->heap, (long)(capacity * sizeof *heap));
        if (!heap)
            return -ENOMEM;
        timers->heap = heap;
        timers->capacity = capacity;
    }
    timer->deadline = deadline;
    weft_hint_add(timers->count, 1);
    sift_up(timers, timers->count - 1, timer);
    return 0;
}

void weft_timers_stop(struct weft_timers *timers, struct weft_timer *timer)
{
    if (timer->place == 0)
        return;
    size_t place = timer->place - 1;
    weft_hint_add(timers->count, -1);
    struct weft_timer *last = timers->heap[timers->count];
    timer->place = 0;
    if (last == timer)
        return;
    if (place > 0 && timers->heap[(place - 1) / ARITY]->deadline > last->deadline)
        sift_up(timers, place, last);
    else
        sift_down(timers, place, last);
}

struct weft_timer *weft_timers_take_due(struct weft_timers *timers, int64_t now)
{
    if (timers->count == 0 || timers->heap[0]->deadline > now)
        return NULL;
    struct weft_timer *timer = timers->heap[0];
    weft_timers_stop(timers, timer);
    return timer;
}

bool weft_timers_verify(const struct weft_timers *timers)
{
    for (size_t i = 0; i < timers->count; i++) {
        if (timers->heap[i]->place != i + 1)
            return false;
        if (i > 0 && timers->heap[(i - 1) / ARITY]->deadline > timers->heap[i]->deadline)
            return false;
    }
    return true;
}
