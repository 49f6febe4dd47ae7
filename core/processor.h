/* SPDX-License-Identifier: MIT */
/*
 * Processors and carriers.
 *
 * A processor is the right to run coroutines: a run queue, timers and a libev loop. A carrier is a
 * kernel thread that holds a processor and runs its coroutines; between them it runs on a stack of its own.
 *
 * Ownership. processor->owner says who may touch the processor:
 *
 *     carrier | WEFT_IN       that carrier, which is inside core/
 *     carrier                 that carrier's coroutine runs program code or is in the kernel; the carrier
 *                             may come back by a compare-and-swap to WEFT_IN, the monitor may take it the
 *                             same way (to 0), a visitor may borrow it (to WEFT_VISITED)
 *     0                       nobody: it waits for a carrier
 *     carrier | WEFT_VISITED  a visitor (visit.h) touches it for a moment; who wants to come in or take it
 *     0 | WEFT_VISITED        waits until the visitor has put back what was there
 *
 * The fields of the first part belong to the owner while WEFT_IN or WEFT_VISITED is set; others may look at
 * those marked "hint" and must not believe what they see. The second part is everybody's.
 */
#ifndef WEFT_CORE_PROCESSOR_H
#define WEFT_CORE_PROCESSOR_H

#include <stdatomic.h>
#include <stdint.h>

#include "coroutine.h"
#include "hint.h"
#include "list.h"
#include "lock.h"
#include "queue.h"
#include "timer.h"

#define WEFT_IN      ((uintptr_t)1)
#define WEFT_VISITED ((uintptr_t)2)
#define WEFT_FLAGS   (WEFT_IN | WEFT_VISITED)

#define WEFT_PRIORITIES 101 /* 0: none; 1 to 99: SCHED_FIFO and SCHED_RR; 100: SCHED_DEADLINE */

/* Whether a processor could take work at once, if somebody woke it. */
enum weft_sleep {
    WEFT_AWAKE,
    WEFT_ASLEEP, /* its carrier sleeps, or is about to, in the loop */
    WEFT_VACANT  /* it never had a carrier */
};

/* Why a pick is special. */
#define WEFT_PRIORITIZED 1 /* a coroutine with a priority is ready, see priority.h */
#define WEFT_CLOCKED     2 /* the time of what runs is counted, see cpu_time.h */
#define WEFT_TIMED       4 /* so is that for which run_next waits, see watch.h */

#define WEFT_ANYWHERE (-1) /* in place of a CPU's number: the kernel chooses, see place.h */

#define WEFT_STREAK 128 /* dispatches through run_next in a row while others wait, at most */

struct processor {
    _Atomic uintptr_t owner;
    uint16_t index;
    int16_t cpu;                /* where its carrier is to run, or WEFT_ANYWHERE; set by the monitor; hint */
    int16_t drawn_to;           /* where peers have last been, */
    uint8_t draws;              /* and how many in a row; see place.h */
    uint8_t special;            /* WEFT_CLOCKED, WEFT_PRIORITIZED, WEFT_TIMED; hint */
    unsigned run_next_streak;   /* dispatches through run_next in a row */
    struct coroutine *run_next; /* made ready last by what runs: goes first, so a hand-over stays hot; hint */
    struct queue queue;         /* these have neither a timer nor a home; hint */
    uint32_t ticks;             /* dispatches since the start; hint */
    uint32_t ticks_at_poll;     /* `ticks` when it was last considered to poll the loop, */
    uint64_t polled_at;         /* and the time-stamp counter then */
    uint32_t look_at;           /* `ticks` at which the clock is read the next time, */
    uint32_t look_every;        /* and so many, and two, later again */
    uint32_t poll_after;        /* `ticks` from which on a poll makes sense */
    uint64_t dispatch_cycles;   /* from one dispatch to the next, between the last two polls; hint */
    uint64_t called_at;         /* time-stamp counter when a new thread last called for help */
    uint64_t backlog_since; /* and when the queue was first seen not empty, as it was ever since; 0: empty */
    uint32_t yields_noted;  /* `yields` when that was looked at the last time */
    bool backlogged;        /* that is long ago, see balance.h; hint */
    bool overlaps;          /* run_next waits for long lately, see watch.h; hint */
    uint8_t streak_most;    /* bound of run_next_streak while others wait */
    uint64_t next_since;    /* and when run_next was set; 0: not known, */
    uint64_t next_set_at;   /* was set the last time, */
    uint64_t next_wait;     /* for how many cycles it waited lately, */
    uint64_t watch_called_at;     /* when somebody was called to watch in vain, */
    uint64_t watched_at;          /* and when this one was, or had success */
    unsigned naps;                /* short sleeps left before a long one, see balance.h, */
    int32_t nap;                  /* and how long the next one is, ns */
    struct processor *rescued;    /* it stalled, so its work was taken, */
    uint32_t rescued_ticks;       /* when its `ticks` were these */
    uint32_t found;               /* receives that found something without a wait; hint */
    uint32_t yields;              /* of `ticks`, those that followed a yield; hint, like ... */
    uint64_t cycles_slept;        /* ... time in the loop, */
    uint64_t asleep_since;        /* and when the present sleep began (time-stamp counter); 0: awake */
    struct coroutine *dispatched; /* the last that a carrier's own loop has dispatched */
    struct coroutine *lone;       /* the only one that ran between the last sleeps, see lone.h; hint */
    uint16_t lone_sleeps;         /* so many in a row, */
    uint16_t lone_wanted;         /* so many are needed for a lone wait; hints */
    uint16_t lone_proved;         /* lone waits since the last that was cut short */
    uint32_t slept_ticks;         /* `ticks` before the last sleep */
    struct coroutine *spares;     /* free objects, linked by `next`, */
    unsigned spare_count;         /* and how many */
    struct weft_timers timers;
    struct loop *loop;
    uint64_t priority_map[2]; /* bit N: by_priority[N] is not empty */
    struct queue by_priority[WEFT_PRIORITIES];
    uint64_t prioritized_since; /* time-stamp counter when the first of those in a row was picked, others
                                   waiting, */
    uint32_t prioritized_ticks; /* and `ticks` when the last was */

    _Alignas(64) _Atomic(struct coroutine *) inbox; /* made ready elsewhere: a stack, newest first */
    _Atomic(struct coroutine *) interrupts; /* parked here, with a signal due: a stack by `interrupt_next` */
    atomic_uint asleep;                     /* enum weft_sleep */
    atomic_uint visitors;                   /* who wants to come in, or is in, from outside */
    atomic_bool lone_waits;                 /* in a lone wait, see lone.h */
    _Atomic(struct carrier *) deputy;       /* who sleeps in the loop meanwhile, */
    _Atomic int64_t deputy_until;           /* until then, ns of CLOCK_MONOTONIC */
    _Atomic uint32_t seen_ticks;            /* balance.h: what `ticks` was ... */
    _Atomic uint64_t seen_at; /* ... and when (time-stamp counter) it was first seen to be that */
};

/* What a spare carrier is woken for. */
enum weft_wake { WEFT_WAKE_NOT, WEFT_WAKE_EMPLOYED, WEFT_WAKE_SIGNAL };

/* CPU time of a carrier, as far as it was counted for coroutines; ns. Protected by the lock. See cpu_time.h.
 */
struct weft_cpu_clock {
    struct weft_lock lock;
    struct coroutine *clocked; /* whose time it is; NULL: nobody's that is counted */
    int64_t estimate;     /* what the kernel's clock of this kernel thread says, or would say, at `stamp` */
    int64_t given;        /* how much of that was counted */
    int64_t asked, stamp; /* CLOCK_MONOTONIC when the kernel was asked last, when `estimate` was made */
};

struct carrier {
    struct weft_context context; /* first: assembly; the carrier's own stack */
    struct processor *processor; /* what it holds, as far as it knows; see weft_core_enter */
    struct processor *deputy_of; /* whose loop it looks after, see lone.h */
    struct coroutine *beside;    /* who is to go on in its kernel thread without a processor, see hog.h */
    int cpu;              /* to which its kernel thread is pinned, or WEFT_ANYWHERE; see place.h; hint */
    int tid;              /* kernel id; cleared by the kernel when the thread is gone */
    void *stack_top;      /* where its context begins */
    uint64_t kernel_mask; /* signals that are blocked in this kernel thread; read by others */
    /* Whose SIGTTIN and SIGTTOU it blocks or not, for a call that looks; NULL: mostly. Its kernel thread's.
     */
    const struct coroutine *lent_to;
    atomic_bool flooded; /* it blocks all until weft_signal_mask_follow: too many records are in use */
    atomic_uint wake;    /* futex of a spare carrier: enum weft_wake */
    struct weft_list spare_node;
    struct carrier *next_started;    /* constant, once `listed` */
    bool receives;                   /* its kernel thread is the first: see signal_mask.c */
    bool listed;                     /* among those that have, or had, a kernel thread */
    bool begun;                      /* weft_carrier_begin_signals was called on its present kernel thread */
    struct weft_alternate alternate; /* what the kernel thread has; constant. See hooks/signal_stack.c */
    struct coroutine *running;       /* for traces and the monitor */
    atomic_uint credentials;         /* the publication whose ids its kernel thread has, see credentials.h */
    atomic_bool in_kernel;      /* its coroutine is in a call that may wait: the monitor is quicker with it */
    atomic_bool is_parent;      /* a spare that stays because it has children */
    uint8_t bound;              /* enum weft_bound: of whom it runs, and nobody else; hint */
    bool bound_ended;           /* ... has ended */
    struct coroutine *bound_to; /* who that is, */
    struct processor *offered;  /* and what it was woken to go on with */
    struct carrier *next_unborn; /* link of those whose kernel thread the monitor is to make */
    struct weft_cpu_clock clock;
    struct {
        int64_t cpu;    /* CPU time at its begin, ns; -1: not known */
        unsigned share; /* what it got in it, percent of a CPU */
        bool worked;    /* it had a processor at its begin or end */
    } window;           /* see shares.h; the monitor's */
};

extern struct processor *weft_processors;
extern unsigned weft_processor_count;

/* `next` runs from now on. Its carrier stands before the state says that it has one: a sender of signals
 * looks at them in the other order. In core. */
static inline void weft_coroutine_dispatched(struct coroutine *next, struct carrier *carrier)
{
    weft_hint_set(next->carrier, carrier);
    __atomic_store_n(&next->state, WEFT_RUNNING, __ATOMIC_RELEASE);
    next->switches++;
    weft_hint_set(carrier->running, next);
}

/* Appends to the queue, or to that of its priority; to the global one when it is bound. In core, or as a
 * visitor. */
void weft_processor_append(struct processor *processor, struct coroutine *coroutine);

/* The same at the front: it was running just now. */
void weft_processor_prepend(struct processor *processor, struct coroutine *coroutine);

/* Takes the oldest of the queue, or NULL. In core, or as a visitor. */
struct coroutine *weft_processor_take(struct processor *processor);

/* Takes what runs next, or NULL when nothing is ready or the loop is due for a poll. In core. */
struct coroutine *weft_processor_pick(struct processor *processor);

/* Makes `coroutine` ready on a processor that the caller does not own; callable from any kernel thread. */
void weft_processor_post(struct processor *processor, struct coroutine *coroutine);

/* Asks that `target`, parked with `processor` as home, be interrupted there (weft_interrupt). From anywhere.
 */
void weft_processor_post_interrupt(struct processor *processor, struct coroutine *target);

/* Moves what others have made ready from the inbox to the queue, oldest first. In core, or as a visitor. */
void weft_processor_open_inbox(struct processor *processor);

/* Sees to it that the processor, if it sleeps, looks around soon. From anywhere. Returns false when it was
 * awake (or could not get a kernel thread). */
bool weft_processor_wake(struct processor *processor);

/* In core, by who is about to sleep or wait: from here on weft_processor_wake is due. Returns false when
 * something has come before. */
bool weft_processor_fall_asleep(struct processor *processor);
void weft_processor_awaken(struct processor *processor);

/* Somebody is in core on it, or visits it: who, it does not say. The queue, deadlines, watchers and polls
 * check this, in every build. */
static inline bool weft_processor_held(const struct processor *processor)
{
    return atomic_load_explicit(&processor->owner, memory_order_relaxed) & WEFT_FLAGS;
}

/* True when coroutines wait to run. In core; elsewhere a hint. */
static inline bool weft_processor_busy(const struct processor *processor)
{
    return __atomic_load_n(&processor->run_next, __ATOMIC_RELAXED) ||
           __atomic_load_n(&processor->queue.head, __ATOMIC_RELAXED) ||
           atomic_load_explicit(&processor->inbox, memory_order_relaxed) ||
           __atomic_load_n(&processor->special, __ATOMIC_RELAXED) & WEFT_PRIORITIZED;
}

/* True when there is, or may soon be, something for the processor to do without the coroutine that holds it
 * now. From anywhere: a hint. */
bool weft_processor_has_work(const struct processor *processor);

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
