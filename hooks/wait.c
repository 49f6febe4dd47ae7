/* SPDX-License-Identifier: MIT */
#include "wait.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>

#include "../core/check.h"
#include "../core/libev_system.h"
#include "../core/lock.h"
#include "../core/raw.h"
#include "descriptor.h"

enum { SUCCESSORS = WEFT_OWN_DESCRIPTORS };

/* Duplicates that replace closed numbers, with the number of calls that use them. */
static struct {
    int fd, users;
} successors[SUCCESSORS];
static struct weft_lock lock; /* protects successors[] */

/* On the carrier's side: by the deadline or a signal. */
static bool abandon_watchers(struct coroutine *self)
{
    if (!self->watchers)
        return false; /* served already */
    weft_loop_release(self->home->loop, self);
    return true;
}

/* Step 5 of parking: on the next stack, where libev may use vector registers. */
static void start_watchers(void *argument)
{
    struct coroutine *self = argument;
    struct loop *loop = self->home->loop;
    for (unsigned i = 0; i < self->watcher_count; i++) {
        if (weft_loop_watch(loop, &self->watchers[i]) == 0)
            continue;
        self->watcher_count = i; /* so many are started */
        weft_loop_release(loop, self);
        weft_ready(self->home, self, -ENOMEM);
        return;
    }
}

long weft_wait_watchers(struct weft_watcher *watchers, unsigned count, enum weft_reason reason,
                        int64_t deadline)
{
    struct coroutine *self = weft_current;
    struct processor *processor = weft_core_enter(self);
    for (unsigned i = 0; i < count; i++) {
        struct weft_descriptor *descriptor = weft_descriptor_find(watchers[i].fd);
        if (descriptor)
            descriptor->flags |= WEFT_FD_WATCHED;
        watchers[i].coroutine = self;
    }
    self->watchers = watchers;
    self->watcher_count = count;
    self->abandon = abandon_watchers;
    self->home = processor;
    long result = weft_deadline_start(self, processor, deadline);
    if (result == 0)
        result = weft_park(self, reason, start_watchers, self);
    weft_check(!self->watchers || result == -ENOMEM);
    weft_deadline_stop(self, self->carrier->processor);
    weft_core_leave(self);
    return result;
}

long weft_wait_target(struct weft_target *target, int events, enum weft_reason reason, int64_t deadline)
{
    struct weft_watcher watcher = {.fd = target->fd, .events = events};
    long result = weft_wait_watchers(&watcher, 1, reason, deadline);
    target->fd = watcher.fd;
    return result;
}

long weft_target_done(const struct weft_target *target, long result)
{
    if (__builtin_expect(target->fd == target->original || target->fd < 0, 1))
        return result;
    weft_lock_acquire(&lock);
    int to_close = -1;
    for (int i = 0; i < SUCCESSORS; i++)
        if (successors[i].users > 0 && successors[i].fd == target->fd && --successors[i].users == 0)
            to_close = target->fd;
    weft_lock_release(&lock);
    if (to_close >= 0) {
        weft_wait_leave_number(to_close);
        weft_disown_descriptor(to_close);
    }
    return result;
}

struct leaving {
    struct loop *loop;
    int fd, successor;
};

static void forget_in_loop(void *argument)
{
    struct leaving *leaving = argument;
    weft_loop_forget(leaving->loop, leaving->fd, leaving->successor);
}

static int make_successor(int fd, int users)
{
    int successor = weft_own_descriptor(weft_raw3(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 3));
    if (successor < 0)
        return -1;
    weft_lock_acquire(&lock);
    for (int i = 0; i < SUCCESSORS; i++)
        if (successors[i].users == 0) {
            successors[i].fd = successor;
            successors[i].users = users;
            weft_lock_release(&lock);
            return successor;
        }
    weft_lock_release(&lock);
    weft_disown_descriptor(successor);
    return -1;
}

void weft_wait_leave_number(int fd)
{
    struct coroutine *self = weft_current;
    weft_core_enter(self);
    struct leaving leaving = {self->carrier->processor->loop, fd, -1};
    int users = weft_loop_consumers(leaving.loop, fd);
    if (users > 0)
        leaving.successor = make_successor(fd, users);
    weft_vectors_preserved(forget_in_loop, &leaving);
    weft_core_leave(self);
}
