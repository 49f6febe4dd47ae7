/* SPDX-License-Identifier: MIT */
/*
 * The global queue: coroutines that are ready and belong to no processor, because their carrier has none or
 * lost the one it had, or because they are bound. Those with priorities come first, else the oldest.
 */
#ifndef WEFT_CORE_GLOBAL_H
#define WEFT_CORE_GLOBAL_H

#include "processor.h"

/* Wakes a processor for it, or, when none is idle, the monitor. From any kernel thread. */
void weft_global_append(struct coroutine *coroutine);

/* The first, or NULL. From any kernel thread. */
struct coroutine *weft_global_take(void);

/* From anywhere. */
bool weft_global_empty(void);

/* In core: moves a processor's share of them, one at least, to its queue. Returns the first that is bound,
 * which needs the processor itself (bound.h), or NULL. */
struct coroutine *weft_global_share(struct processor *processor);

/* After a fork: those in it exist no more. */
void weft_global_forget(void);

#endif
