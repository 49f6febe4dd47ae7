/* SPDX-License-Identifier: MIT */
/*
 * libev under the processors.
 *
 * Contexts: a carrier's own stack, or `after` of a switch; there no coroutine's vector registers are live.
 *
 * Rules:
 *  1. A descriptor's ev_io stays started after its waiters are served: the next wait then costs nothing.
 *     Only when it fires and nobody waits is it stopped.
 *  2. Whoever takes a waiter out of one list takes it out of all (poll waits for many descriptors), and
 *     is the one who readies it. All happens on the loop's processor, so no lock is needed.
 *  3. Consumers (read, accept, ...) are woken one per readiness: the loop is level-triggered, so when
 *     the first leaves something the next poll wakes the next. Observers (poll, select) are all woken.
 *  4. The sleep is ours, not libev's: the epoll_wait that libev.a is linked to (libev_system.c) sleeps for
 *     `weft_loop_patience` with nanosecond precision, unless libev asks for no sleep. For the same
 *     reason the wake-up is an eventfd of our own: ev_async_send omits its write when it believes that
 *     the loop does not sleep.
 *  5. libev knows no urgent data. A descriptor that somebody watches for it is registered with EPOLLPRI
 *     beside EPOLLIN by the epoll_ctl that libev.a is linked to, and reported as readable; only such a
 *     one, because others have readers that would be woken by it again and again.
 *  6. An epoll descriptor of the program's is not deleted from ours when it fires and nobody waits, as libev
 *     wants, but silenced (no events, EPOLLONESHOT). To add one takes the kernel a search through all that is
 *     registered in it, under one lock for all processes; and one who waits for it in turn on two processors
 *     would be added each time. Others are deleted: the silenced pay a little for each event.
 */
#include "loop_internal.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "check.h"
#include "hint.h"
#include "libev_system.h"
#include "park.h"
#include "raw.h"
#include "slab.h"

static struct weft_slab loops = WEFT_SLAB_OF(struct loop);

void weft_loop_release(struct loop *loop, struct coroutine *coroutine)
{
    for (unsigned i = 0; i < coroutine->watcher_count; i++)
        weft_loop_unwatch(loop, &coroutine->watchers[i]);
    coroutine->watchers = NULL;
}

typedef void ready_function(struct processor *here, struct coroutine *coroutine, int result);

static void serve(struct loop *loop, struct coroutine *coroutine, int result, ready_function *ready)
{
    weft_loop_release(loop, coroutine);
    ready(loop->processor, coroutine, result);
}

/* `told` is for the watchers. */
static bool serve_direction(struct loop *loop, struct interest *interest, int direction, bool told,
                            ready_function *ready)
{
    struct weft_list *waiters = &interest->waiters[direction];
    if (weft_list_empty(waiters))
        return false;
    bool consumer_served = false;
    struct weft_list *node = waiters->next;
    while (node != waiters) {
        struct weft_watcher *watcher = weft_container(node - direction, struct weft_watcher, node);
        node = node->next;
        if (!watcher->shared && consumer_served)
            continue;
        consumer_served |= !watcher->shared;
        watcher->told = told;
        /* A poll may watch one descriptor twice: step over what goes with this waiter. */
        while (node != waiters &&
               weft_container(node - direction, struct weft_watcher, node)->coroutine == watcher->coroutine)
            node = node->next;
        serve(loop, watcher->coroutine, 0, ready);
    }
    return true;
}

static void on_io(struct ev_loop *ev, ev_io *io, int events)
{
    struct loop *loop = ev_userdata(ev);
    struct interest *interest = io->data;
    int direction = io == &interest->io[1];
    bool told = direction == 0 && loop->plain && !interest->refused && !(events & EV_ERROR);
    loop->ready++;
    bool expected = direction == 0 && interest->written;
    interest->written &= direction != 0;
    /* An error wakes the waiters too: their own call will tell them. */
    bool served = serve_direction(loop, interest, direction, told, weft_ready);
    if (!(served || expected) || (events & EV_ERROR))
        ev_io_stop(ev, io);
}

static void on_wake(struct ev_loop *ev, ev_io *io, int events)
{
    uint64_t count;
    (void)ev, (void)events;
    weft_raw3(SYS_read, io->fd, (long)&count, sizeof count);
}

struct loop *weft_loop_create(struct processor *processor)
{
    enum { NEEDED = 4 << 20 };
    ev_set_allocator(weft_reallocate);
    void *probe = weft_pages_map(NEEDED); /* libev ends the process when it gets no memory */
    if (!probe)
        return NULL;
    weft_pages_unmap(probe, NEEDED);
    struct loop *loop = weft_slab_take(&loops);
    if (!loop)
        return NULL;
    *loop = (struct loop){.processor = processor};
    loop->wake_fd = weft_own_descriptor(weft_raw2(SYS_eventfd2, 0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (loop->wake_fd < 0)
        goto no_wake;
    loop->ev =
        ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV | EVFLAG_NOINOTIFY | EVFLAG_NOSIGMASK | EVFLAG_NOTIMERFD);
    if (!loop->ev)
        goto no_loop;
    loop->epoll_fd = weft_libev_epoll();
    ev_set_userdata(loop->ev, loop);
    ev_io_init(&loop->wake, on_wake, loop->wake_fd, EV_READ);
    ev_io_start(loop->ev, &loop->wake);
    return loop;

no_loop:
    weft_disown_descriptor(loop->wake_fd);
no_wake:
    weft_slab_give(&loops, loop);
    return NULL;
}

void weft_loop_destroy(struct loop *loop)
{
    ev_loop_destroy(loop->ev);
    weft_disown_descriptor(loop->wake_fd);
    for (int i = 0; i < CHUNKS; i++)
        if (loop->chunks[i])
            weft_pages_unmap(loop->chunks[i], CHUNK * sizeof *loop->chunks[i]);
    weft_slab_give(&loops, loop);
}

static struct interest *interest_take(struct loop *loop, int fd)
{
    if (fd < 0 || fd >= CHUNK * CHUNKS)
        return NULL;
    struct interest **chunk = &loop->chunks[fd / CHUNK];
    if (!*chunk && !(*chunk = weft_pages_map(CHUNK * sizeof **chunk)))
        return NULL;
    struct interest *interest = &(*chunk)[fd % CHUNK];
    if (!interest->known) {
        ev_io_init(&interest->io[0], on_io, fd, EV_READ);
        ev_io_init(&interest->io[1], on_io, fd, EV_WRITE);
        interest->io[0].data = interest->io[1].data = interest;
        weft_list_init(&interest->waiters[0]);
        weft_list_init(&interest->waiters[1]);
        interest->known = true;
    }
    return interest;
}

/* The number was closed since it was watched last, and with that left the kernel's set. Who waits still has
 * lost a race with who closed it, or has begun to wait between the close and its being noted. */
static void watch_anew(struct loop *loop, struct interest *interest)
{
    bool waits = !weft_list_empty(&interest->waiters[0]) || !weft_list_empty(&interest->waiters[1]);
    interest->silenced = false;
    interest->urgent &= waits;
    for (int direction = 0; direction < 2; direction++) {
        ev_io *io = &interest->io[direction];
        ev_io_stop(loop->ev, io);
        ev_io_set(io, io->fd, direction ? EV_WRITE : EV_READ); /* the next start tells the kernel */
        if (weft_list_empty(&interest->waiters[direction]))
            continue;
        ev_io_start(loop->ev, io);
        loop->changed = true;
    }
}

int weft_loop_watch(struct loop *loop, struct weft_watcher *watcher)
{
    weft_check(weft_processor_held(loop->processor));
    weft_list_init(&watcher->node[0]);
    weft_list_init(&watcher->node[1]);
    struct interest *interest = interest_take(loop, watcher->fd);
    if (!interest)
        return -ENOMEM;
    if (interest->closings != watcher->closings) {
        interest->closings = watcher->closings;
        watch_anew(loop, interest);
    }
    if (watcher->events & WEFT_URGENT && !interest->urgent) {
        interest->urgent = true;
        ev_io_stop(loop->ev, &interest->io[0]);
        ev_io_set(&interest->io[0], watcher->fd, EV_READ); /* the next start tells the kernel anew */
        if (!weft_list_empty(&interest->waiters[0])) {
            ev_io_start(loop->ev, &interest->io[0]);
            loop->changed = true;
        }
    }
    interest->nested = watcher->events & WEFT_NESTED;
    for (int direction = 0; direction < 2; direction++) {
        if (!(watcher->events & 1 << direction))
            continue;
        weft_list_append(&interest->waiters[direction], &watcher->node[direction]);
        if (!ev_is_active(&interest->io[direction])) {
            ev_io_start(loop->ev, &interest->io[direction]);
            loop->changed = true;
        }
    }
    weft_hint_add(loop->watching, 1);
    return 0;
}

void weft_loop_unwatch(struct loop *loop, struct weft_watcher *watcher)
{
    weft_check(weft_processor_held(loop->processor));
    weft_list_remove(&watcher->node[0]);
    weft_list_remove(&watcher->node[1]);
    weft_hint_add(loop->watching, -1);
}

int weft_loop_watchers(struct loop *loop, int fd, int *consumers)
{
    struct interest *interest = weft_interest_find(loop, fd);
    int count = 0;
    *consumers = 0;
    for (int direction = 0; interest && direction < 2; direction++) {
        struct weft_list *waiters = &interest->waiters[direction];
        for (struct weft_list *node = waiters->next; node != waiters; node = node->next) {
            struct weft_watcher *watcher = weft_container(node - direction, struct weft_watcher, node);
            if (direction == 1 && watcher->events & WEFT_READABLE)
                continue; /* counted already */
            count++;
            *consumers += !watcher->shared;
        }
    }
    return count;
}

void weft_loop_forget(struct loop *loop, int fd, int successor, uint32_t closings)
{
    struct interest *interest = weft_interest_find(loop, fd);
    if (!interest)
        return;
    interest->urgent = interest->silenced = false;
    for (int direction = 0; direction < 2; direction++) {
        ev_io *io = &interest->io[direction];
        struct weft_list *waiters = &interest->waiters[direction];
        ev_io_stop(loop->ev, io);
        while (!weft_list_empty(waiters)) {
            struct weft_watcher *watcher =
                weft_container(waiters->next - direction, struct weft_watcher, node);
            if (successor < 0) {
                serve(loop, watcher->coroutine, -EBADF, weft_ready);
                continue;
            }
            weft_loop_unwatch(loop, watcher);
            watcher->fd = successor;
            watcher->closings = closings;
            watcher->moved = true;
            if (weft_loop_watch(loop, watcher) != 0) {
                weft_hint_add(loop->watching, 1); /* which serve takes down again */
                serve(loop, watcher->coroutine, -ENOMEM, weft_ready);
            }
        }
        /* The next start must tell the kernel: the number will mean another description. */
        ev_io_set(io, fd, direction ? EV_WRITE : EV_READ);
    }
}

bool weft_loop_written(struct loop *loop, int fd)
{
    weft_check(weft_processor_held(loop->processor));
    struct interest *interest = weft_interest_find(loop, fd);
    if (!interest || !serve_direction(loop, interest, 0, false, weft_ready_here))
        return false;
    interest->written = true;
    return true;
}

void weft_loop_wake_writers(void *argument)
{
    struct loop *loop = argument;
    for (int i = 0; i < CHUNKS; i++)
        for (int j = 0; loop->chunks[i] && j < CHUNK; j++)
            while (loop->chunks[i][j].known &&
                   serve_direction(loop, &loop->chunks[i][j], 1, false, weft_ready))
                ;
}

int weft_loop_poll(struct loop *loop, int64_t timeout)
{
    weft_check(weft_processor_held(loop->processor));
    weft_loop_patience = timeout;
    weft_loop_polled = loop;
    loop->ready = 0;
    loop->changed = false;
    ev_run(loop->ev, timeout == 0 ? EVRUN_NOWAIT : EVRUN_ONCE);
    weft_loop_patience = 0;
    return loop->ready;
}

void weft_loop_wake(struct loop *loop)
{
    uint64_t one = 1;
    weft_raw3(SYS_write, loop->wake_fd, (long)&one, sizeof one);
}

int weft_loop_descriptor(const struct loop *loop)
{
    return loop->epoll_fd;
}

bool weft_loop_changed(const struct loop *loop)
{
    return loop->changed;
}

struct leaving {
    struct loop *loop;
    struct interest *interest;
};

/* libev deletes what is stopped only when it fires. Behind its back, so the next start must tell the kernel.
 */
static void leave(void *argument)
{
    struct leaving *leaving = argument;
    int fd = leaving->interest->io[0].fd;
    for (int direction = 0; direction < 2; direction++) {
        ev_io *io = &leaving->interest->io[direction];
        ev_io_stop(leaving->loop->ev, io);
        ev_io_set(io, fd, direction ? EV_WRITE : EV_READ);
    }
    leaving->interest->urgent = leaving->interest->silenced = false;
    weft_raw4(SYS_epoll_ctl, leaving->loop->epoll_fd, EPOLL_CTL_DEL, fd, 0);
}

void weft_loop_leave(struct loop *loop, int fd)
{
    struct interest *interest = weft_interest_find(loop, fd);
    if (!interest || !weft_list_empty(&interest->waiters[0]) || !weft_list_empty(&interest->waiters[1]))
        return;
    if (ev_is_active(&interest->io[0]) || ev_is_active(&interest->io[1]))
        weft_vectors_preserved(leave, &(struct leaving){loop, interest});
}

size_t weft_loop_watching(const struct loop *loop)
{
    return __atomic_load_n(&loop->watching, __ATOMIC_RELAXED);
}
