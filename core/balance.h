/* SPDX-License-Identifier: MIT */
/*
 * Who gets what to do: how ready coroutines spread over the processors.
 *
 * A coroutine is readied where its waker runs: two that hand work to each other stay on one processor and
 * cost no more than with one. Others are let in only where it pays, which is where a ready coroutine would
 * wait longer than waking a processor takes (WEFT_SHARE_CYCLES):
 *
 *   sharing   A processor knows what a dispatch has cost lately and how many wait; when the product is
 *             large, or somebody waited whenever the loop was considered for WEFT_BACKLOG_CYCLES, it wakes
 *             one that is idle. So does the creation of a second thread before the first one has run.
 *   stealing  A processor without work visits the others. From one with such a queue it takes half; from
 *             one that stalls, i.e. has not dispatched for WEFT_SHARE_CYCLES, everything, run_next too,
 *             after it has polled and fired deadlines there: its carrier computes, or the kernel runs
 *             something else in its place.
 *   naps      What a processor stole shows that there is work to be had: it looks again NAPS times, NAP
 *             apart, before it sleeps for long; WAITING apart while it sees something wait that may yet turn
 *             out to be stalled. A neighbour that stalls wakes nobody, so somebody must look.
 *   monitor   looks, too, at about once a millisecond, some times more when something is ready beside an
 *             idle processor, and wakes that for one that stalls.
 *
 * Rejected: waking an idle processor for every coroutine that becomes ready, as Go does. It is right for Go,
 * whose programs were written for it; threads of legacy programs hand over in pairs, and a pair torn apart is
 * slower by the cost of a system call and an interrupt for each hand-over.
 */
#ifndef WEFT_CORE_BALANCE_H
#define WEFT_CORE_BALANCE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "processor.h"

/* About 40 us at the frequencies of time-stamp counters (2 to 4 GHz). */
#define WEFT_SHARE_CYCLES 100000

/* How many processors are asleep or vacant; a hint for the fast path. */
extern atomic_uint weft_idle_processors;

/* Wakes an idle processor, which will look for work. Returns false when there is none. From anywhere. */
bool weft_balance_wake_one(void);

/* The same, unless one that was woken so is still looking: a helper is one of those that share the work
 * (parallelism.h), a rescuer, for what stalls, may also be one that stands by. */
void weft_balance_call_helper(void);
void weft_balance_call_rescuer(void);

/* In core, when the loop is considered, at the time `now` of the time-stamp counter: notes whether somebody
 * still waits, but for who has yielded, as most of the `dispatches` since the last time then did; and when
 * the loop has readied somebody, which ends it: those who send us work may want the other CPUs themselves.
 * (16 connections of an echo had 0.7 of their rate and three times the p99 when they were shared so.) */
#define WEFT_BACKLOG_CYCLES 500000
void weft_balance_note_backlog(struct processor *here, uint64_t now, uint32_t dispatches);
void weft_balance_end_backlog(struct processor *here);

/* In core: `here` has got more to do; calls a helper when that is a lot. */
void weft_balance_share_slowly(struct processor *here);
static inline void weft_balance_share(struct processor *here)
{
    if (__builtin_expect(atomic_load_explicit(&weft_idle_processors, memory_order_relaxed) != 0, 0))
        weft_balance_share_slowly(here);
}

/* In core: a thread was made, and waits on `here` for its creator to park. Natively it starts at once on
 * another CPU, and programs hang on that without knowing it: so a helper is called, which looks twice more
 * when the creator goes on without a dispatch. Who creates many calls once in about a millisecond, others
 * waiting or not: a helper that was called in vain cost two creators on one processor a sixth of their rate.
 */
#define WEFT_CALL_CYCLES 2000000
void weft_balance_created(struct processor *here);

/* By a carrier in core whose processor has nothing to do: takes ready coroutines from others. */
bool weft_balance_steal(struct processor *here);

/* In core on a processor that stands by: hands what is ready to one that does not, unless what it rescued
 * last stalls still. */
void weft_balance_pass_on(struct processor *here);

/* True when the processor has work to do, or may soon, and has not dispatched since it was looked at
 * WEFT_SHARE_CYCLES ago or longer. From anywhere. */
bool weft_balance_stalled(struct processor *processor);

/* True when an idle processor should look around again before it sleeps for long; `*timeout`, ns, as long as
 * it could sleep, becomes as long as it should. */
bool weft_balance_nap(struct processor *here, int64_t *timeout);

#endif
