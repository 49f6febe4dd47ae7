/* SPDX-License-Identifier: MIT */
/*
 * A coroutine is one pthread of the program, the main thread included.
 *
 *     glibc's stack of the thread                          struct coroutine (slab)
 *     ┌───────────────────────────────┐ high              ┌──────────────────────┐
 *     │ struct pthread, __thread vars │◄── fs_base ───────┤ context              │
 *     │   weft_current ───────────────┼──────────────────►│ carrier, processor   │
 *     ├───────────────────────────────┤                   │ wait, timer          │
 *     │ frames of the program         │                   │ identity             │
 *     │ frame of libc's read()        │                   └──────────────────────┘
 *     │ struct weft_call, hook frames │
 *     │ registers saved by the switch │◄── context.rsp
 *     │ untouched                     │
 *     └───────────────────────────────┘ low
 *
 * States, and who may change them:
 *
 *     READY ──(a carrier dispatches it)──► RUNNING ──(itself, in core)──► PARKED ──┐
 *       ▲                                     └──(exit)──► DEAD                    │
 *       └────────────(exactly one waker, chosen by the wait's claim)───────────────┘
 */
#ifndef WEFT_CORE_COROUTINE_H
#define WEFT_CORE_COROUTINE_H

#include <stdbool.h>
#include <stdint.h>

#include "context.h"
#include "layout.h"
#include "list.h"
#include "lock.h"
#include "timer.h"

enum weft_state { WEFT_READY, WEFT_RUNNING, WEFT_PARKED, WEFT_DEAD };

/* Why a coroutine stands still. Every park names one. */
enum weft_reason {
    WEFT_REASON_NONE,
    WEFT_REASON_PROCESSOR, /* ready, but its carrier lost its processor */
    WEFT_REASON_YIELD,
    WEFT_REASON_FUTEX,
    WEFT_REASON_JOIN,
    WEFT_REASON_READ,
    WEFT_REASON_WRITE,
    WEFT_REASON_ACCEPT,
    WEFT_REASON_CONNECT,
    WEFT_REASON_POLL,
    WEFT_REASON_SELECT,
    WEFT_REASON_EPOLL,
    WEFT_REASON_SLEEP,
    WEFT_REASON_CHILD,
    WEFT_REASON_SIGNAL,
    WEFT_REASONS
};

/* Whether a coroutine has a kernel thread of its own, see bound.h. */
enum weft_bound {
    WEFT_UNBOUND,
    WEFT_BOUND_ALONE, /* whom it creates has not */
    WEFT_BOUND_HEIRS  /* whom it creates has one, too */
};

extern const char *const weft_reason_names[WEFT_REASONS];

struct carrier;
struct processor;

/* The name of a thread, ended by a zero. */
struct weft_name {
    char text[16];
};

/* An alternate signal stack, as sigaltstack(2) takes it; size 0: none. */
#define WEFT_AUTODISARM (UINT32_C(1) << 31) /* SS_AUTODISARM, which libc's headers lack */
struct weft_alternate {
    uintptr_t base;
    size_t size;
    uint32_t flags; /* WEFT_AUTODISARM or 0 */
};

struct weft_futex_many;

/* One word that a coroutine waits for; protected by the lock of the address's bucket. */
struct weft_futex_waiter {
    struct weft_list node;
    struct weft_futex_waiter *last; /* first of those who wait for one address: the last of them */
    struct weft_futex_waiter *next; /* link in a chain of those that were taken out */
    uint32_t *address;
    uint32_t bitset;
    struct weft_futex_many *many; /* the wait that it is a part of; NULL: it is the `futex` of a coroutine,
                                     which waits for this word only */
};

struct coroutine {
    struct weft_context context; /* first: assembly; valid while not running */
    uint8_t in_hook;             /* assembly; a signal handler must not run now: our locks may be held */
    uint8_t suspect;             /* assembly: cleared by each call. The monitor takes it for a hog; hint */
    uint8_t signal_due;          /* assembly; the end of the hook has signals to deliver; set by anybody */
    uint8_t hog;             /* it computed for long: gives its processor away when it leaves core; hint */
    uint8_t short_runs;      /* times in a row that a hog did not; its own */
    bool admitted;           /* it is one of the hogs that go on; protected by hog.c's lock */
    uint8_t priority;        /* real-time priority, 0: none; see priority.h. Read when it is queued */
    bool kicked;             /* in a hook, since that has cleared it; its own, and of the kick's handler */
    struct carrier *carrier; /* who runs it; valid while running, owned by itself; others: hint */
    struct coroutine *next;  /* link in the one queue it is in, owned by that queue */

    /* The wait. Written by the coroutine itself before it is published, then read by wakers. */
    enum weft_state state;
    enum weft_reason reason;
    int wake_result;  /* 0 or -errno, set by the waker, read after the park */
    uint8_t bound;    /* enum weft_bound; constant while it is ready or parked. Read when it is queued */
    bool round_robin; /* among its equals, which it may keep waiting for less long */
    struct processor *home; /* where it has a timer or watchers, and so must be readied; else NULL */
    bool (*abandon)(struct coroutine *); /* takes it out of what it waits for; true: the caller readies it.
                                            Called on `home` only; without a home the wait is a futex's */
    struct weft_timer timer;             /* touched on `home` only */
    struct coroutine *interrupt_next;    /* link in a processor's `interrupts` while interrupt_posted; both */
    _Atomic bool interrupt_posted;       /* outlive the coroutine, like the index */
    uint64_t left_at;                    /* time-stamp counter when it last left core as a hog; its own */

    struct weft_futex_waiter futex; /* a wait in a futex queue, or the first word of one in many */
    uint32_t futex_wakes; /* times in a row that it was woken at futex_woken_at; its own, see futex.c */
    uint32_t *futex_woken_at;

    /* A wait for descriptors; touched on `home` only. */
    struct weft_watcher *watchers; /* array; NULL when nothing is waited for, or when served */
    unsigned watcher_count;
    unsigned local_shutdowns; /* so many were made before it tried to write, see hooks/wait.c; its own */

    /* As an event loop, see event_loop.h; its own. */
    bool loop_out;        /* it waits in the kernel, without a processor */
    uint8_t loop_credit;  /* what it has left to spend on having one all the same, */
    uint16_t loop_waits;  /* waits in a row that were a loop's, or that it is out for, */
    uint16_t loop_wanted; /* and so many are needed; 0: it has not waited so yet */

    /* As who accepts connections and makes threads for them, see hooks/connect.c; its own. */
    uint64_t accept_turn; /* `switches` when it began to count */
    uint8_t accepts;      /* that were followed by a thread */
    bool made_thread;     /* since the last one */

    /* Identity, as the kernel keeps it for a thread. Owned by the coroutine itself. */
    int tid;                      /* main: the process id; others: above every pid_max */
    uint32_t index, generation;   /* of the tid, see coroutine.c */
    struct weft_lock signal_lock; /* held by who ends and by who sends to it: see signal.c */
    bool signals_open;            /* it has begun and not ended; protected by that lock. These four stay */
    uint32_t *clear_child_tid;
    void *robust_list;
    uint64_t signal_mask; /* as the program set it; bit N-1 is signal N; written by itself */

    /* Signals; protected by signal.c's lock. */
    struct weft_signal *signals;          /* queued for this coroutine, oldest first */
    uint64_t signal_wait;                 /* what it waits for in sigwait and its like */
    struct coroutine *signal_waiter_next; /* valid while it does */
    uint8_t signal_kind;                  /* those with the same mask, see signal_mask.c */

    struct weft_alternate alternate; /* its own */
    int64_t wait_began;  /* ns of CLOCK_MONOTONIC when a wait of limited length began; see hooks/deadline.c */
    bool restarted;      /* the call is made again, behind nothing that the program noticed */
    int64_t parked_at;   /* ns of CLOCK_MONOTONIC, kept when tracing */
    uint64_t switches;   /* times it was dispatched */
    uint64_t found_at;   /* `switches` when a receive last found something, */
    uint64_t turn_began; /* and the time-stamp counter when one first did so in this turn; its own */
    uint64_t empty_at;   /* `switches` when one that does not wait last found nothing, */
    int empty_fd;        /* and where; its own */
    int told_fd;         /* whose readers it has told last that it has written, */
    uint64_t told_at;    /* and `switches` then; its own */
    unsigned apart;      /* waits in a row of which another processor's coroutine wrote the end; its own */
    int64_t
        cpu_time; /* ns that were counted so far; under the lock of the clock that counts it, cpu_time.h */
    int64_t cpu_time_told;   /* the most that somebody else has seen of it, perhaps before it was counted */
    int64_t cpu_time_system; /* how much of that getrusage(2) has called system time, */
    int64_t cpu_time_split;  /* and how much it was then; its own */
    struct weft_schedule *schedule; /* NULL: as the process began; protected by identity.c's lock */
    struct weft_name name;          /* valid when `named`, which only main may lack */
    bool named;
    void *slab_link; /* last: the slab's */
};

_Static_assert(offsetof(struct coroutine, in_hook) == WEFT_COROUTINE_IN_HOOK, "layout.h");
_Static_assert(offsetof(struct coroutine, suspect) == WEFT_COROUTINE_IN_HOOK + 1, "entry.S");
_Static_assert(offsetof(struct coroutine, signal_due) == WEFT_COROUTINE_SIGNAL_DUE, "layout.h");

/* The running coroutine. NULL on a carrier's own stack and in kernel threads that are no carriers.
 * It lies in glibc's thread block, so it follows the FS base. */
extern __thread struct coroutine *weft_current __attribute__((tls_model("initial-exec")));

/* Takes a coroutine with a fresh thread id (or, for main, `tid`); NULL when memory or ids are exhausted. In
 * core on `here`, which keeps some free ones, so that they do not travel from CPU to CPU; or anywhere with
 * NULL. */
struct coroutine *weft_coroutine_take(struct processor *here, int tid);
void weft_coroutine_give(struct processor *here, struct coroutine *coroutine);

/* The live coroutine with this virtual id, or NULL. */
struct coroutine *weft_coroutine_find(int tid);

/* An id of 28 bits, for where no more fit (clocks), and the live coroutine that has it. It comes back four
 * times as soon as the whole one. */
int weft_coroutine_short_id(int tid);
struct coroutine *weft_coroutine_find_short(int id);

/* Calls `function` for every live coroutine, in no particular order. Others may come and go meanwhile; an
 * object that is given back remains one (slab.h). */
void weft_coroutine_each(void (*function)(struct coroutine *, void *argument), void *argument);

/* The first one for which the function returns true, or NULL; as above. */
struct coroutine *weft_coroutine_search(bool (*function)(struct coroutine *, const void *argument),
                                        const void *argument);

/* In the child of a fork: nobody holds the table's lock, `self` is main from now on, with that id, and new
 * ids are this process's. */
void weft_coroutines_restart(struct coroutine *self, int tid);

/* Sets weft_current in the thread block at `fs_base`. */
void weft_coroutine_bind(struct coroutine *coroutine, uintptr_t fs_base);

#endif
