/* SPDX-License-Identifier: MIT */
/*
 * The lone: a coroutine that waits where it is.
 *
 * Who waits for a descriptor parks, and its carrier sleeps in the loop: a try, a sleep, and the try again,
 * where a kernel thread makes one system call. That is little when one sleep is for many. But when a
 * processor has had only one coroutine to run for some time, that one, the lone, makes its call as a kernel
 * thread does, and waits in it. Its processor stays with it, so that it goes on at once when the kernel
 * answers, but counts as asleep; and a spare carrier, its deputy, sleeps in the loop in its place:
 *
 *     lone's carrier    ── in core: asleep, `lone_waits` ── outside of core: the call ── in core: awake ──
 * ... deputy            ── poll(2) of the loop's epoll descriptor, which takes no event from it, or until the
 * next deadline ── `lone_waits`: takes the processor, as the monitor would, and runs it
 *
 * When the deputy has taken the processor the lone, whose call has ended, waits for one like everybody who
 * lost his (park.h, step 1), and parks next time, until it has been alone again for a while; for twice as
 * long each time, up to MOST sleeps. A deputy that is woken while nobody waits so becomes a spare again: the
 * next lone wait looks at the loop itself, and calls another one.
 *
 * Whose wait is a lone one is told by nothing but its carrier's kernel stack: it is running. A traced program
 * has none: the trace shall show what threads wait for.
 */
#ifndef WEFT_CORE_LONE_H
#define WEFT_CORE_LONE_H

#include "processor.h"

/* By a carrier in core, about to sleep in the loop: takes note of who ran since the last time. */
void weft_lone_note(struct processor *here);

/* Begins a lone wait of the caller, not in core. True: it makes its system call next, and ends the wait
 * behind it, whatever came of it. May park (reason: processor). */
bool weft_lone_begin(struct coroutine *self);

/* May park (reason: processor). */
void weft_lone_end(struct coroutine *self);

/* Whether weft_lone_begin may be of use: a hint, and cheap. Who has parked and finds that it is, takes from
 * the loop what it watched there (weft_loop_leave): else its own readiness would wake the deputy. */
static inline bool weft_lone_likely(const struct coroutine *self)
{
    const struct processor *processor = self->carrier->processor;
    return __atomic_load_n(&processor->lone, __ATOMIC_RELAXED) == self &&
           __atomic_load_n(&processor->lone_sleeps, __ATOMIC_RELAXED) >=
               __atomic_load_n(&processor->lone_wanted, __ATOMIC_RELAXED);
}

/* By who has just taken `processor` from outside: a lone wait that was on it is one no more. */
void weft_lone_taken(struct processor *processor);

/* The life of a deputy, on its own stack: returns with a processor, or as a spare. */
void weft_lone_stand_in(struct carrier *carrier);

#endif
