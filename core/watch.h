/* SPDX-License-Identifier: MIT */
/*
 * Hand-overs that overlap.
 *
 * Who makes another ready mostly waits soon after, and the other one then runs where it was readied, at no
 * cost (run_next). But some go on for long: they signal, then compute. Natively the other one runs meanwhile
 * on another CPU. Waking an idle processor for it costs some microseconds, for each time, and is in vain when
 * the waker parks before; so it must be known beforehand that it pays.
 *
 * A processor whose dispatches take TIMED_CYCLES or more (the others pay one comparison) times how
 * long its run_next waits. When that is long lately, it `overlaps` (until FORGET_CYCLES without a hand-over),
 * and calls an idle one, which then watches it: for WATCH_CYCLES it looks again and again whether run_next
 * waits there while one dispatch lasts, and takes it after WAIT_CYCLES. It watches again after what it took
 * has parked; so while they come in a row, nobody is woken. For a hog nobody is called: it will hand its
 * processor on. Who watches lets other programs have the CPU (sched_yield). A call that was of no use is not
 * repeated before WEFT_CALL_CYCLES.
 */
#ifndef WEFT_CORE_WATCH_H
#define WEFT_CORE_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "processor.h"

/* In core, when the cost of a dispatch is known anew, at the time `now` of the time-stamp counter: whether
 * hand-overs are timed. */
void weft_watch_consider(struct processor *here, uint64_t now);

/* In core on a processor that times them: `run_next` was set; was taken to run. */
void weft_watch_next_set(struct processor *here);
void weft_watch_next_taken(struct processor *here);

/* As a visitor: its run_next waited until it counted as stalled. */
void weft_watch_rescued(struct processor *victim);

/* By a carrier in core whose processor has nothing to do: was called. */
void weft_watch_called(struct processor *here);

/* The same, if it was called or found something lately: watches. Returns true when there is something to do
 * now. Up to some tens of microseconds. */
bool weft_watch(struct processor *here);

#endif
