/* SPDX-License-Identifier: MIT */
/* How many hogs go on at once. The lock protects all of this, and every coroutine's `admitted`. */
#include "hog.h"

#include "carrier.h"
#include "coroutine.h"
#include "global.h"
#include "lock.h"
#include "monitor.h"
#include "processor.h"
#include "queue.h"
#include "timer.h"

static struct weft_lock lock;
static struct queue waiting;
static unsigned admitted;
static int64_t admitted_at; /* when the last one was, ns */

static void admit(struct coroutine *hog)
{
    hog->admitted = true;
    admitted++;
    admitted_at = weft_now();
}

bool weft_hog_admit(struct coroutine *self)
{
    weft_lock_acquire(&lock);
    /* What has a priority is scheduled by that (priority.h). */
    bool may = !self->admitted && (admitted < weft_processor_count || self->priority);
    if (may)
        admit(self);
    may = self->admitted;
    weft_lock_release(&lock);
    return may;
}

/* Takes the first of those that wait, admitted. With the lock held. */
static struct coroutine *admit_next(void)
{
    struct coroutine *next = weft_queue_take(&waiting);
    if (next)
        admit(next);
    return next;
}

void weft_hog_wait(void *self)
{
    struct coroutine *hog = self, *next = NULL;
    weft_lock_acquire(&lock);
    weft_queue_append(&waiting, hog);
    if (admitted < weft_processor_count)
        next = admit_next(); /* somebody has come back meanwhile */
    weft_lock_release(&lock);
    if (next)
        weft_global_append(next);
    weft_monitor_wake();
}

void weft_hog_return(struct coroutine *self)
{
    struct coroutine *next = NULL;
    weft_lock_acquire(&lock);
    if (self->admitted) {
        self->admitted = false;
        admitted--;
        if (admitted < weft_processor_count)
            next = admit_next();
    }
    weft_lock_release(&lock);
    if (next)
        weft_global_append(next);
}

bool weft_hogs_look(int64_t now)
{
    if (!__atomic_load_n(&waiting.head, __ATOMIC_RELAXED))
        return false;
    struct coroutine *next = NULL;
    weft_lock_acquire(&lock);
    if (now - admitted_at >= WEFT_HOG_PATIENCE)
        next = admit_next();
    weft_lock_release(&lock);
    if (next)
        weft_global_append(next);
    return true;
}

void weft_hogs_forget(struct coroutine *self)
{
    self->admitted = false;
    lock = (struct weft_lock){0};
    waiting = (struct queue){0};
    admitted = 0;
}
