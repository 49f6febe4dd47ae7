/* SPDX-License-Identifier: MIT */
/*
 * Visits: to touch a processor that somebody else holds, for a moment, on one's own kernel thread.
 *
 * A processor is held by a carrier, mostly from outside of core: its coroutine runs program code. A visitor
 * then swaps `owner` from that to the same with WEFT_VISITED, does what it came for, and puts it back; the
 * carrier, should it want to enter meanwhile, waits. A processor that is in core is about to leave; one that
 * sleeps in its loop is woken, and its carrier steps outside for as long as there are `visitors`.
 *
 *   Who visits                            why
 *   a carrier without work                to steal (it only tries: balance.c)
 *   close, dup2, shutdown                 descriptors are watched in several loops
 *   fork                                  all at once, so that nobody is in core
 *
 * Nobody visits from inside core with weft_visit_begin: two that wait for each other would wait for ever.
 */
#ifndef WEFT_CORE_VISIT_H
#define WEFT_CORE_VISIT_H

#include <stdbool.h>

#include "processor.h"

/* Waits until the processor is the caller's to touch. Not in core; spins for what may be some microseconds.
 */
void weft_visit_begin(struct processor *processor);
void weft_visit_end(struct processor *processor);

/* The same, but gives up at once when the processor is in core or visited. Also in core. */
bool weft_visit_try(struct processor *processor);
void weft_visit_tried_end(struct processor *processor);

/* Calls function(argument) as a visitor, or in core where `processor` is the caller's own. Not in core. */
void weft_visit(struct processor *processor, void (*function)(void *), void *argument);

/* By a carrier in core, on its own stack: lets visitors in, if there are any. Returns false when the
 * processor was taken away meanwhile. */
bool weft_visit_admit(struct carrier *carrier, struct processor *processor);

/* Waits a little, the caller being in a loop until somebody else has done something that takes tens of
 * instructions, unless its kernel thread is preempted, or forks, which takes milliseconds. `round` counts the
 * loop's rounds. */
void weft_visit_pause(unsigned round);

#endif
