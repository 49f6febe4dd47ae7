/* SPDX-License-Identifier: MIT */
/*
 * How many processors share the work.
 *
 * When other programs want the CPUs too, a further carrier brings no further CPU: what it gets, it takes from
 * them (often from those whose requests we serve), and work that is spread over processors costs more:
 * wake-ups, connections that change their loop, smaller batches for everybody. On two CPUs that a server
 * shares with its load one processor can do half as much again as two. Whether it does is found by trial:
 *
 * fewer: One processor stands by for some windows when the others could do all there is, when carriers that
 *     have work get much less than a CPU each and one carrier less would leave CPUs for all who want them, or
 *     when all have a CPU and turns are tiny: what these share (locks of libc's, its cache of stacks) travels
 *     from CPU to CPU, which may take longer. It stays so unless the work was faster before.
 * more: When those that share the work need all of their CPUs, one more is let in, and stays if the work
 *     becomes faster.
 *
 * place: When there is one processor for each CPU, all share the work, and others have more of the CPUs than
 *     we, each gets a CPU of its own (place.h), and stays there if the work becomes faster by more than a
 *     twentieth. (Where peers have less, as a load that is one thread, it was never found to.)
 *     Also when one is left for the work, and hogs fill the CPUs: then it goes where its peers are.
 * release: From time to time the kernel chooses the CPUs again, and goes on to if that is faster; at once
 * when there is little to do, or less gets done than before.
 *
 * The measure, work, is dispatches in a second and receives that found something without one; one processor
 * more must bring a tenth of what it could. A trial that fails is not repeated before a time that doubles
 * with each failure, unless the rate has changed much. Where a piece of work costs much CPU there are no
 * trials: spreading costs little beside it.
 *
 * A processor that stands by has an index not below weft_parallelism. What becomes ready on it, it hands to
 * the others; it steals only from one that stalls, i.e. whose carrier computes or is not run.
 *
 * All here is done by the monitor's kernel thread; nothing is locked.
 */
#ifndef WEFT_CORE_PARALLELISM_H
#define WEFT_CORE_PARALLELISM_H

#include <stdatomic.h>
#include <stdint.h>

#include "processor.h"
#include "shares.h"

/* Processors with an index below share the work; 1 to weft_processor_count. */
extern atomic_uint weft_parallelism;

static inline bool weft_stands_by(const struct processor *processor)
{
    return processor->index >= atomic_load_explicit(&weft_parallelism, memory_order_relaxed);
}

/* ns: several ticks of a kernel with 250 of them in a second. */
#define WEFT_WINDOW INT64_C(20000000)

/* By the monitor, whenever it looks: measures, and decides at the end of each window. `now` in ns. */
void weft_parallelism_look(int64_t now);

/* The decision, after each window; `work` in a second. */
void weft_parallelism_decide(int64_t now, struct weft_shares shares, int64_t work);

/* All processors share the work. When nothing else runs: at the start and after a fork. */
void weft_parallelism_reset(void);

#endif
