/* SPDX-License-Identifier: MIT */
/*
 * Event loops: coroutines that wait in poll, select or epoll_wait, turn after turn, beside few others.
 *
 * Parking saves them nothing. A switch to another thread in place of the kernel's is worth less than what
 * each wait costs: a try, an entry in the loop's epoll set, a sleep of the processor for few, and the call
 * again, where a kernel thread makes one call. So when a coroutine's waits have been like that for a while,
 * it steps out: it makes the call as it is, in the kernel and without a processor, and stays out until it
 * needs one to enter core. Several such loops run beside each other then, and beside the processors, as
 * natively.
 *
 *     parked    each wait is judged: the processor ran almost nobody else meanwhile
 *     ENOUGH of them in a row, and fewer than PER_PROCESSOR times the processors are out ── out
 *     out       each wait is judged: it had a processor, or still had none
 *     too many with one ── parked, for twice as many waits as the last time
 *     RETRIED   ── parked, to see whether it has company by now, with which it shares sleeps
 *
 * One with a priority is not out: only on a processor do priorities mean anything.
 *
 * With the lone (lone.h), who keeps its processor and may be any coroutine, it has in common that its wait is
 * told by its kernel stack only; a traced program has neither.
 */
#ifndef WEFT_CORE_EVENT_LOOP_H
#define WEFT_CORE_EVENT_LOOP_H

#include "processor.h"

/* In core, on `here`, behind a park in poll, select or epoll_wait that began when its `ticks` were these. */
void weft_event_loop_note(struct coroutine *self, const struct processor *here, uint32_t ticks);

/* Before a call that may wait for descriptors. True: `self` is out, has no processor now, and needs none
 * until it enters core. Not in core; does not park. */
bool weft_event_loop_step_out(struct coroutine *self);

/* Somebody is out. From anywhere: a hint. */
bool weft_event_loops_out(void);

/* It ends, is bound, or parks for a while again. */
void weft_event_loop_end(struct coroutine *self);

/* In the child of a fork, of which `self` is the only one. */
void weft_event_loop_forget(struct coroutine *self);

#endif
