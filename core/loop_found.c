/* SPDX-License-Identifier: MIT */
/*
 * What libev's epoll finds and is told, before libev sees it and behind its back: libev_system.c asks here.
 *
 * Contexts: within weft_loop_poll, on a carrier's stack. Rules 5 and 6 of loop.c.
 */
#include <sys/epoll.h>

#include "coroutine.h"
#include "libev_system.h"
#include "loop_internal.h"

__thread struct loop *weft_loop_polled __attribute__((tls_model("initial-exec")));

bool weft_loop_pending(void)
{
    return ev_pending_count(weft_loop_polled->ev) > 0;
}

static struct weft_watcher *first_waiter(const struct epoll_event *event)
{
    struct interest *interest =
        weft_interest_find(weft_loop_polled, (int)(uint32_t)event->data.u64); /* libev's fd is the low half */
    int direction = !(event->events & EPOLLIN);
    if (!interest || weft_list_empty(&interest->waiters[direction]))
        return NULL;
    return weft_container(interest->waiters[direction].next - direction, struct weft_watcher, node);
}

/*
 * Thousands of waiters, each on a stack of its own, are in no cache. They are asked for all at once, level by
 * level, so the misses overlap: here they cost one after another what a request's system calls cost.
 */
static void prefetch_waiters(const struct epoll_event *events, int count)
{
    enum { MOST = 64, LINE = 64, SAVED = 7 * LINE /* what the switch has saved, and the frames above it */ };
    struct weft_watcher *waiters[MOST];
    if (count > MOST)
        count = MOST;
    for (int i = 0; i < count; i++) {
        waiters[i] = first_waiter(&events[i]);
        __builtin_prefetch(waiters[i]);
    }
    for (int i = 0; i < count; i++)
        if (waiters[i])
            __builtin_prefetch(waiters[i]->coroutine);
    for (int i = 0; i < count; i++) {
        if (!waiters[i])
            continue;
        const struct weft_context *context = &waiters[i]->coroutine->context;
        for (int offset = 0; offset < SAVED; offset += LINE)
            __builtin_prefetch((char *)context->rsp + offset, 1);
        __builtin_prefetch((void *)context->fs_base, 1);
    }
}

void weft_loop_found(struct epoll_event *events, int count)
{
    uint32_t all = 0;
    for (int i = 0; i < count; i++) {
        all |= events[i].events;
        if (events[i].events & EPOLLPRI)
            events[i].events |= EPOLLIN;
    }
    weft_loop_polled->plain = !(all & ~(uint32_t)(EPOLLIN | EPOLLOUT));
    if (count > 1)
        prefetch_waiters(events, count);
}

bool weft_loop_urgent(int fd)
{
    struct interest *interest = weft_loop_polled ? weft_interest_find(weft_loop_polled, fd) : NULL;
    return interest && interest->urgent;
}

void weft_loop_note_added(int fd, bool refused)
{
    struct interest *interest = weft_loop_polled ? weft_interest_find(weft_loop_polled, fd) : NULL;
    if (interest)
        interest->refused = refused;
}

/* One that fires although it is silenced is deleted after all: errors are reported in any case, if once only.
 */
bool weft_loop_silences(int fd)
{
    struct interest *interest = weft_loop_polled ? weft_interest_find(weft_loop_polled, fd) : NULL;
    return interest && (interest->silenced = interest->nested && !interest->silenced);
}

bool weft_loop_unsilences(int fd)
{
    struct interest *interest = weft_loop_polled ? weft_interest_find(weft_loop_polled, fd) : NULL;
    bool silenced = interest && interest->silenced;
    if (silenced)
        interest->silenced = false;
    return silenced;
}
