/* SPDX-License-Identifier: MIT */
/*
 * Processors and carriers.
 *
 * A processor is the right to run coroutines: a run queue, timers and a libev loop. A carrier is a
 * kernel thread that holds a processor and runs its coroutines; between them it runs on a stack of its own.
 *
 * Ownership. processor->owner says who may touch the processor:
 *
 *     carrier | WEFT_IN   that carrier, which is inside core/
 *     carrier             that carrier's coroutine runs program code or is in the kernel; the carrier
 *                         may come back by a compare-and-swap to WEFT_IN, anybody else may take it the
 *                         same way
 *     0                   nobody: it waits for a carrier
 *
 * All fields but `owner`, `inbox` and `asleep` belong to the owner while WEFT_IN is set.
 */
#ifndef WEFT_CORE_PROCESSOR_H
#define WEFT_CORE_PROCESSOR_H

#include <stdatomic.h>
#include <stdint.h>

#include "coroutine.h"
#include "lock.h"
#include "timer.h"

#define WEFT_IN ((uintptr_t)1)

struct queue {
    struct coroutine *head, *tail;
    size_t length;
};

struct processor {
    _Atomic uintptr_t owner;
    unsigned index;

    struct coroutine *run_next; /* made ready last by what runs: goes first, so a hand-over stays hot */
    unsigned run_next_streak;   /* dispatches through run_next in a row, bounded by RUN_NEXT_STREAK */
    struct queue queue;
    uint32_t ticks;     /* dispatches since the start; read by the monitor */
    uint64_t polled_at; /* time-stamp counter at the last poll of the loop */
    struct weft_timers timers;
    struct loop *loop;
    size_t parked_here; /* coroutines whose home this is */

    _Atomic(struct coroutine *) inbox; /* made ready elsewhere: a stack, newest first */
    atomic_uint asleep;                /* 1: the carrier sleeps, or is about to, in the loop */
};

struct carrier {
    struct weft_context context; /* first: assembly; the carrier's own stack */
    struct processor *processor; /* what it holds, as far as it knows; see weft_core_enter */
    int tid;                     /* kernel id */
    uint64_t kernel_mask;        /* signals that are blocked in this kernel thread; read by others */
    atomic_uint wake;            /* futex of a spare carrier */
    struct carrier *next_spare;
    struct carrier *next_started;    /* constant, once `begun` */
    bool begun;                      /* weft_carrier_begin_signals was called */
    struct weft_alternate alternate; /* what the kernel thread has; constant. See hooks/signal_stack.c */
    struct coroutine *running; /* for traces and the monitor */
};

extern struct processor *weft_processors;
extern unsigned weft_processor_count;

/*
 * Sets up `count` processors (one runs, until carriers are started for the others) and makes the calling
 * kernel thread the first carrier, its flow of control the main coroutine. Returns 0 or -errno, with
 * nothing changed.
 */
int weft_machine_start(unsigned count);

/* The child of a fork: only `self` and its carrier are left. Returns 0 or -errno. */
int weft_machine_restart(struct coroutine *self);

/* Appends to the owner's queue. In core. */
void weft_processor_append(struct processor *processor, struct coroutine *coroutine);

/* Takes what runs next, or NULL when nothing is ready or the loop is due for a poll. In core. */
struct coroutine *weft_processor_pick(struct processor *processor);

/* Makes `coroutine` ready on a processor that the caller does not own; callable from any kernel thread. */
void weft_processor_post(struct processor *processor, struct coroutine *coroutine);

/* True when coroutines wait to run. In core. */
static inline bool weft_processor_busy(const struct processor *processor)
{
    return processor->run_next || processor->queue.head || atomic_load(&processor->inbox);
}

/* True when the loop has not been polled for WEFT_POLL_CYCLES (some tens of microseconds). In core. */
#define WEFT_POLL_CYCLES 60000
static inline bool weft_processor_poll_due(const struct processor *processor)
{
    return __builtin_ia32_rdtsc() - processor->polled_at >= WEFT_POLL_CYCLES;
}

/* Checks every invariant that can be checked from the outside while this processor is owned; ends the
 * process when one is broken. */
void weft_processor_verify(const struct processor *processor);

#endif
