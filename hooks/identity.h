/* SPDX-License-Identifier: MIT */
/*
 * What a thread is called and how it asked to be scheduled: per coroutine, although kernel threads are
 * shared. None of these functions parks.
 */
#ifndef WEFT_HOOKS_IDENTITY_H
#define WEFT_HOOKS_IDENTITY_H

#include <pthread.h>
#include <stdint.h>

#include "../core/coroutine.h"

struct weft_schedule;

/* `self`, the first one, is scheduled as the process is. Not in a hook. */
void weft_identity_start(struct coroutine *self);

/* A new coroutine inherits its creator's identity, as the kernel's threads do. tid_word is where the library
 * keeps the id of the thread whose thread pointer is fs_base; NULL: not known. In a hook of `parent`. */
void weft_identity_begin(struct coroutine *child, struct coroutine *parent, const int *tid_word,
                         uintptr_t fs_base);

/* The schedule of a process that `parent` makes, held by the caller; NULL: the process's own. In a hook. */
struct weft_schedule *weft_identity_of_child(struct coroutine *parent);

/* `self` exits: what it held is given back. In a hook, or in core. */
void weft_identity_end(struct coroutine *self);

/* In the child of a fork: the kernel thread becomes what `self` was. In a hook. */
void weft_identity_restart(struct coroutine *self);

/* The live coroutine of a pthread_t, or NULL when the thread has exited. Any context with weft_current set.
 */
struct coroutine *weft_identity_find(pthread_t thread);

/* The name, read from the kernel when it is main's and not known yet; and a new one. The same contexts. */
struct weft_name weft_identity_name(struct coroutine *coroutine);
void weft_identity_rename(struct coroutine *coroutine, const struct weft_name *name);

#endif
