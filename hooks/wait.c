/* SPDX-License-Identifier: MIT */
#include "wait.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/socket.h>

#include "../core/check.h"
#include "../core/event_loop.h"
#include "../core/libev_system.h"
#include "../core/lock.h"
#include "../core/lone.h"
#include "../core/park.h"
#include "../core/place.h"
#include "../core/raw.h"
#include "../core/visit.h"
#include "descriptor.h"
#include "peer.h"

enum {
    SUCCESSORS = 64,
    PEER_EVERY = 8, /* waits */
    PATIENCE =
        100000000 /* ns: a call that holds a number for so long is stopped by a page fault or a debugger */
};

/* Duplicates that replace closed numbers, with the number of calls that use them. */
static struct {
    int fd, users;
} successors[SUCCESSORS];
static struct weft_lock lock; /* protects successors[] */

static atomic_uint local_shutdowns; /* of reading sides of local streams */

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

/* Remembers in whose loop the number is watched, for who closes it. Returns its record, or NULL. */
static struct weft_descriptor *note_watched(int fd, const struct processor *processor)
{
    struct weft_descriptor *descriptor = weft_descriptor_find(fd);
    uint64_t bit = UINT64_C(1) << (processor->index % 64);
    if (descriptor && !(atomic_load_explicit(&descriptor->watched_by, memory_order_relaxed) & bit))
        atomic_fetch_or(&descriptor->watched_by, bit);
    return descriptor;
}

/* In core, where who visits the processor sees all of it or nothing. */
static void note_watchers(struct weft_watcher *watchers, unsigned count, struct coroutine *self,
                          const struct processor *processor)
{
    for (unsigned i = 0; i < count; i++) {
        struct weft_descriptor *descriptor = note_watched(watchers[i].fd, processor);
        watchers[i].coroutine = self;
        if (!descriptor)
            continue;
        if (watchers[i].shared)
            atomic_fetch_add(&descriptor->observers, 1);
        watchers[i].closings = atomic_load(&descriptor->closings);
    }
}

/* Their numbers may be others by now. */
static void note_observers_gone(const struct weft_watcher *watchers, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct weft_descriptor *descriptor = watchers[i].shared ? weft_descriptor_find(watchers[i].fd) : NULL;
        if (descriptor)
            atomic_fetch_sub(&descriptor->observers, 1);
    }
}

/* Of that no readiness tells, and who makes one wakes those that wait to write. Who was about to, in core
 * now, tries once more: not having seen the last one before he tried. */
static bool may_have_missed_shutdown(struct coroutine *self, const struct weft_watcher *watchers,
                                     unsigned count)
{
    unsigned made = atomic_load(&local_shutdowns);
    if (__builtin_expect(self->local_shutdowns == made, 1) || count != 1 || watchers[0].shared ||
        !(watchers[0].events & WEFT_WRITABLE))
        return false;
    self->local_shutdowns = made;
    return true;
}

void weft_wait_note_local_shutdown(void)
{
    atomic_fetch_add(&local_shutdowns, 1);
}

static bool is_observer(enum weft_reason reason)
{
    return reason == WEFT_REASON_POLL || reason == WEFT_REASON_SELECT || reason == WEFT_REASON_EPOLL;
}

/* Where the last packet for the socket came in: of a connection within this machine, on its peer's CPU. -1:
 * the kernel does not say. */
static int peers_cpu(int fd)
{
    int cpu = -1, size = sizeof cpu;
    return weft_raw5(SYS_getsockopt, fd, SOL_SOCKET, SO_INCOMING_CPU, (long)&cpu, (long)&size) == 0 ? cpu
                                                                                                    : -1;
}

/* In core, and on return: goes where the peer is, unless many are there already or the processor goes itself.
 */
static struct processor *go_to_peer(struct coroutine *self, struct processor *here, int fd)
{
    int cpu = peers_cpu(fd);
    if (cpu < 0 || weft_place_draw(here, cpu) || cpu == __atomic_load_n(&here->cpu, __ATOMIC_RELAXED))
        return here;
    struct processor *there = weft_place_processor(cpu);
    size_t waiting_here = weft_loop_watching(here->loop);
    if (!there || weft_loop_watching(there->loop) > waiting_here + waiting_here / 4 + 2)
        return here;
    weft_migrate(self, there);
    return self->carrier->processor;
}

long weft_wait_watchers(struct weft_watcher *watchers, unsigned count, enum weft_reason reason,
                        int64_t deadline)
{
    struct coroutine *self = weft_current;
    struct processor *processor = weft_core_enter(self);
    if (may_have_missed_shutdown(self, watchers, count)) {
        weft_core_leave(self);
        return 0;
    }
    if (__builtin_expect(processor->cpu != WEFT_ANYWHERE, 0) && count == 1 &&
        self->switches % PEER_EVERY == 0)
        processor = go_to_peer(self, processor, watchers[0].fd);
    if (count == 1)
        processor = weft_peer_follow(self, processor, watchers[0].fd);
    note_watchers(watchers, count, self, processor);
    self->watchers = watchers;
    self->watcher_count = count;
    uint32_t ticks = processor->ticks;
    weft_park_announce(self, processor, abandon_watchers);
    long result = weft_deadline_start(self, processor, deadline);
    if (result == 0) {
        result = weft_park(self, reason, start_watchers, self);
        weft_check(!self->watchers);
        if (is_observer(reason) && self->carrier->processor == processor)
            weft_event_loop_note(self, processor, ticks);
        if (__builtin_expect(weft_lone_likely(self) | self->loop_out, 0) &&
            self->carrier->processor == processor)
            for (unsigned i = 0; i < count; i++)
                weft_loop_leave(processor->loop, watchers[i].fd);
    } else {
        self->watchers = NULL;
        weft_park_give_up(self);
    }
    note_observers_gone(watchers, count);
    weft_core_leave(self);
    return result;
}

long weft_wait_target(struct weft_target *target, int events, enum weft_reason reason, int64_t deadline)
{
    weft_target_hold(target);
    struct weft_watcher watcher = {.fd = target->fd, .events = events};
    long result = weft_wait_watchers(&watcher, 1, reason, deadline);
    target->fd = watcher.fd;
    return result;
}

void weft_target_hold(struct weft_target *target)
{
    struct weft_descriptor *descriptor = target->held ? NULL : weft_descriptor_find(target->original);
    if (!descriptor)
        return;
    atomic_fetch_add(&descriptor->holders, 1);
    target->held = true;
}

void weft_target_let_go(struct weft_target *target)
{
    if (!target->held || target->fd != target->original) /* who gave it a successor has counted it out */
        return;
    atomic_fetch_sub(&weft_descriptor_find(target->original)->holders, 1);
    target->held = false;
}

/* One user less: the last closes it. */
static void leave_successor(int fd)
{
    bool last = false;
    weft_lock_acquire(&lock);
    for (int i = 0; i < SUCCESSORS; i++)
        if (successors[i].users > 0 && successors[i].fd == fd)
            last = --successors[i].users == 0;
    weft_lock_release(&lock);
    if (last) {
        weft_wait_leave_number(fd);
        weft_disown_descriptor(fd);
    }
}

long weft_target_done(struct weft_target *target, long result)
{
    weft_target_let_go(target);
    if (__builtin_expect(target->fd == target->original || target->fd < 0, 1))
        return result;
    leave_successor(target->fd);
    return result;
}

void weft_watchers_done(const struct weft_watcher *watchers, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (__builtin_expect(watchers[i].moved, 0))
            leave_successor(watchers[i].fd);
}

struct leaving {
    struct processor *processor;
    int fd;
    struct weft_descriptor *descriptor;
    int successor; /* -1: not needed so far, or not to be had */
};

/* Makes the duplicate, with one user: who makes it. */
static int make_successor(int fd)
{
    int successor = weft_own_descriptor(weft_raw3(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 3));
    if (successor < 0)
        return -1;
    weft_lock_acquire(&lock);
    for (int i = 0; i < SUCCESSORS; i++)
        if (successors[i].users == 0) {
            successors[i].fd = successor;
            successors[i].users = 1;
            weft_lock_release(&lock);
            return successor;
        }
    weft_lock_release(&lock);
    weft_disown_descriptor(successor);
    return -1;
}

static void add_users(int successor, int count)
{
    weft_lock_acquire(&lock);
    for (int i = 0; i < SUCCESSORS; i++)
        if (successors[i].users > 0 && successors[i].fd == successor)
            successors[i].users += count;
    weft_lock_release(&lock);
}

static void forget_with_vectors(void *argument)
{
    struct leaving *leaving = argument;
    struct weft_descriptor *successor = weft_descriptor_find(leaving->successor);
    weft_loop_forget(leaving->processor->loop, leaving->fd, leaving->successor,
                     successor ? atomic_load(&successor->closings) : 0);
}

/* The waiters are counted there from now on, those that hold the number no more. */
static void move_counts(const struct leaving *leaving, int users, int consumers)
{
    unsigned observers = (unsigned)(users - consumers);
    struct weft_descriptor *successor = note_watched(leaving->successor, leaving->processor);
    add_users(leaving->successor, users);
    unsigned holders = atomic_fetch_sub(&leaving->descriptor->holders, (unsigned)consumers);
    unsigned before = atomic_fetch_sub(&leaving->descriptor->observers, observers);
    weft_check(holders >= (unsigned)consumers && before >= observers);
    if (successor)
        atomic_fetch_add(&successor->observers, observers);
}

/* As a visitor, or in core. The users are counted before one of them can be done. */
static void leave_loop(void *argument)
{
    struct leaving *leaving = argument;
    int consumers, users = weft_loop_watchers(leaving->processor->loop, leaving->fd, &consumers);
    if (users > 0 && leaving->successor < 0)
        leaving->successor = make_successor(leaving->fd);
    if (users > 0 && leaving->successor >= 0)
        move_counts(leaving, users, consumers);
    weft_vectors_preserved(forget_with_vectors, leaving);
}

/* Where nobody waits nothing need be done: who waits next finds that the number was closed. */
static void leave_loops(struct leaving *leaving)
{
    struct weft_descriptor *descriptor = leaving->descriptor;
    if (atomic_load(&descriptor->holders) == 0 && atomic_load(&descriptor->observers) == 0)
        return;
    uint64_t watched_by = atomic_exchange(&descriptor->watched_by, 0);
    for (unsigned i = 0; watched_by && i < weft_processor_count; i++) {
        if (!(watched_by & UINT64_C(1) << i % 64))
            continue;
        leaving->processor = &weft_processors[i];
        weft_visit(leaving->processor, leave_loop, leaving);
    }
}

void weft_wait_leave_number(int fd)
{
    struct weft_descriptor *descriptor = weft_descriptor_find(fd);
    struct leaving leaving = {.fd = fd, .descriptor = descriptor, .successor = -1};
    int64_t limit = 0;
    if (!descriptor)
        return; /* it cannot be watched either (loop.c) */
    leave_loops(&leaving);
    for (unsigned round = 0; atomic_load(&descriptor->holders) > 0; round++) {
        if (!limit)
            limit = weft_now() + PATIENCE;
        else if (weft_now() > limit)
            break;
        if (!weft_yield(weft_current))
            weft_visit_pause(round);
        leave_loops(&leaving);
    }
    weft_wait_note_closing(fd);
    if (leaving.successor >= 0)
        weft_target_done(&(struct weft_target){.fd = leaving.successor, .original = fd}, 0);
}

void weft_wait_note_closing(int fd)
{
    struct weft_descriptor *descriptor = weft_descriptor_find(fd);
    if (descriptor)
        atomic_fetch_add(&descriptor->closings, 1);
}

void weft_waits_restart(void)
{
    lock = (struct weft_lock){0};
}
