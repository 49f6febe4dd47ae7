/* SPDX-License-Identifier: MIT */
/*
 * Readiness of descriptors: one libev loop per processor, touched only by the carrier that owns the
 * processor, but for weft_loop_wake. The only files that know libev are loop.c
 * and loop_found.c.
 *
 * Per descriptor and direction there is one persistent ev_io. It is stopped when nobody waits and
 * started again for the next one; between two polls that costs libev nothing and the kernel nothing.
 */
#ifndef WEFT_CORE_LOOP_H
#define WEFT_CORE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "list.h"

struct coroutine;
struct loop;
struct processor;

/* WEFT_URGENT widens WEFT_READABLE, without which it says nothing: urgent data wakes the waiter too. Then it
 * wakes all who wait to read this descriptor, who try again. WEFT_NESTED: it is an epoll descriptor. */
enum { WEFT_READABLE = 1, WEFT_WRITABLE = 2, WEFT_URGENT = 4, WEFT_NESTED = 8 };

/* One wait of one coroutine for one descriptor; lives on the waiter's stack, or in pages of its own
 * when there are many. Owned by the loop while the coroutine is parked. */
struct weft_watcher {
    struct weft_list node[2]; /* in the descriptor's lists of readers and writers */
    struct coroutine *coroutine;
    int fd;
    int events;        /* WEFT_READABLE | WEFT_WRITABLE | WEFT_URGENT | WEFT_NESTED */
    uint32_t closings; /* how often the number had been closed: which of its meanings is waited for */
    bool shared; /* an observer (poll, select): woken with the others; false: a consumer, woken one at a time
                  */
    bool moved;  /* `fd` is the successor of the number that it was started with */
    bool told;   /* the kernel has said of it that it can be read, and nothing else: no error, no hang-up, no
                    urgent data. From the wait's end on */
};

/* Returns NULL when the kernel gives no epoll descriptor or memory. */
struct loop *weft_loop_create(struct processor *processor);
void weft_loop_destroy(struct loop *loop);

/* Starts `watcher`; its coroutine parks next. What is left of another meaning of its number is forgotten.
 * Returns 0 or -ENOMEM. Only with the vector registers saved or not in use: it enters libev. */
int weft_loop_watch(struct loop *loop, struct weft_watcher *watcher);
void weft_loop_unwatch(struct loop *loop, struct weft_watcher *watcher);

/* Stops all watchers of a coroutine; its `watchers` are NULL from then on, which is the claim to its wait. */
void weft_loop_release(struct loop *loop, struct coroutine *coroutine);

/* How many watchers wait for `fd`; *consumers becomes how many of them are no observers. */
int weft_loop_watchers(struct loop *loop, int fd, int *consumers);

/* `fd` is closed or means something else from now on: forget it in libev. Who waits for it moves to
 * `successor`, which refers to the description that is waited for and was closed `closings` times; when that
 * is -1, he is woken. Where nobody waits for it this is not needed: weft_loop_watch sees to it. Enters libev,
 * as that does. */
void weft_loop_forget(struct loop *loop, int fd, int successor, uint32_t closings);

/* Somebody has written what `fd` reads: wakes who waits for it, as a poll would. Who consumes it runs as soon
 * as the caller stops. Returns false when nobody waits here. */
bool weft_loop_written(struct loop *loop, int fd);

/* Wakes everybody who waits to write, to try again: for a change that readiness does not tell. */
void weft_loop_wake_writers(void *loop);

/* Polls, sleeping at most `timeout` ns (0: not at all; WEFT_NEVER: until something happens), and makes
 * ready whom it concerns. Returns the number of descriptors that were ready. */
int weft_loop_poll(struct loop *loop, int64_t timeout);

/* Ends a sleep in weft_loop_poll from any kernel thread. */
void weft_loop_wake(struct loop *loop);

/* Whether the loop that is in weft_loop_poll on this kernel thread watches `fd` for urgent data too. */
bool weft_loop_urgent(int fd);

/* Of the loop that is in weft_loop_poll on this kernel thread. libev wants `fd` deleted from its epoll:
 * whether it is to be silenced instead. libev wants it added: whether it may be silenced there (it is assumed
 * not to be from now on). */
bool weft_loop_silences(int fd);
bool weft_loop_unsilences(int fd);

/* Likewise: the kernel has taken it into the epoll's set, or refused to. */
void weft_loop_note_added(int fd, bool refused);

/* True for a descriptor that the program must not see or close: one of ours. */
bool weft_loop_owns(int fd);
enum { WEFT_OWN_DESCRIPTORS = 512 };
/* Copies our descriptors in ascending order, returns how many. */
int weft_loop_owned(int *fds);

/* The epoll descriptor: readable when a poll would find something. */
int weft_loop_descriptor(const struct loop *loop);

/* Whether watchers were started since the last poll: until the next one the kernel does not know them. */
bool weft_loop_changed(const struct loop *loop);

/* Sees to it that `fd`, unless somebody waits for it, does not make that descriptor readable. In core. */
void weft_loop_leave(struct loop *loop, int fd);

/* Number of started watchers, for weft_processor_verify. */
size_t weft_loop_watching(const struct loop *loop);

#endif
