/* SPDX-License-Identifier: MIT */
/*
 * The parking protocol (core/park.h, steps 1 to 8) among carriers that lose, lend and get processors
 * (core/processor.h), for spin. One statement, atomic {} or d_step {} is what the code does in one atomic operation or
 * while it owns what it touches. Memory is sequentially consistent here; the barriers are the code's own business.
 *
 * The scene: two processors; on the second coroutine KEEPER, which waits ROUNDS times in a futex queue; on the first
 * WAKER, which stores to the word and wakes. What else happens is chosen by -D (see run):
 *
 *   VACANT_SECOND  the second processor has no carrier at first, and the keeper is ready on the first
 *   DEADLINE  the waits have a deadline, which may come at any time
 *   STEAL     a carrier without work takes from the other processor
 *   MONITOR   takes a processor from whoever is outside of core, at any time, and wakes idle ones
 *   HOG       after a wake the waker spins outside of core until the keeper has run: others must see to that
 *   KERNEL    before a wake the waker may go into the kernel, giving its processor away
 *   VISIT     before a wake the waker may visit the other processor (close, dup2)
 *   CARRIERS  3, or 2: then there are none to be had for who wants to give a processor away
 *
 * The claims are assertions where they are due, and one about the end: when nothing moves any more, both coroutines
 * are done (judge). MUTATION_* break the protocol in one place each; spin must find each.
 */
#ifndef CARRIERS
#define CARRIERS 3
#endif
#ifndef ROUNDS
#define ROUNDS 2
#endif

#define PROCESSORS 2
#define COROUTINES 2
#define KEEPER     0
#define WAKER      1
#define NO_PROCESSOR PROCESSORS
#define NO_CARRIER   CARRIERS
#define NO_COROUTINE COROUTINES
#define BIT(n) (1 << (n))

/* processor->owner */
#define NOBODY      0
#define IN          1
#define VISITED     2
#define FLAGS       3
#define OUTSIDE(k)  (((k) + 1) << 2)

/* processor->asleep */
#define AWAKE  0
#define ASLEEP 1
#define VACANT 2 /* no carrier yet */

byte owner[PROCESSORS];
byte asleep[PROCESSORS];
byte queue[PROCESSORS];    /* ready coroutines, run_next included: a set, for any order must be right */
byte inbox[PROCESSORS];
byte timers[PROCESSORS];   /* whose deadline is started there */
byte visitors[PROCESSORS];
bool event[PROCESSORS];    /* the eventfd of the loop */
byte inside[PROCESSORS];   /* how many touch what is the owner's: never two */
byte idle;                 /* weft_idle_processors */
byte global;

byte held[CARRIERS];       /* carrier->processor */
bool wake[CARRIERS];       /* carrier->wake */
byte spares;

mtype = { READY, RUNNING, PARKED, DONE };
mtype state[COROUTINES];
byte home[COROUTINES];
byte where[COROUTINES];    /* the carrier that runs it */
bool saved[COROUTINES];    /* its registers are stored: it may be resumed */
byte resume_at[COROUTINES];
#define AT_START    0
#define AT_ENTERED  1      /* in core, after it had to wait for a processor */
#define AT_PARKED   2      /* in core, after weft_park */

bool in_kernel;            /* the waker has been there in this round */
bool wakes_for[COROUTINES]; /* its `claimed`, while it waits for a processor */

bool lock;                 /* the bucket's */
byte list;
byte waiters;
byte word;
byte kept;                 /* rounds that the keeper has done */

/* Adds to a set in which it must not be. */
#define ADD(set, c)    assert((set & BIT(c)) == 0); set = set | BIT(c)
#define REMOVE(set, c) set = set & ~BIT(c)
#define FIRST(set)     (set & 1 -> 0 : 1)

inline come_in(p)
{
    inside[p]++;
    assert(inside[p] == 1)
}

/* weft_carrier_adopt; `p` is nobody's. In: nothing. Out: other is NO_CARRIER when none could be had. */
inline adopt(p, other)
{
    atomic {
        if
        :: spares -> other = 0; do :: (spares & BIT(other)) == 0 -> other++ :: else -> break od; REMOVE(spares, other)
        :: else -> other = NO_CARRIER
        fi
    }
    if
    :: other == NO_CARRIER -> skip
    :: else ->
        held[other] = p;
#ifdef MUTATION_HOLD_STORES
        atomic { owner[p] = OUTSIDE(other) | IN; come_in(p) }
#else
        atomic { owner[p] == NOBODY -> owner[p] = OUTSIDE(other) | IN; come_in(p) }
#endif
        wake[other] = true
    fi
}

/* weft_processor_wake. Out: woke. */
inline rouse(p, was, other)
{
    if
    :: asleep[p] == AWAKE -> was = AWAKE
    :: else ->
        atomic { was = asleep[p]; asleep[p] = AWAKE }
        if
        :: was == ASLEEP -> idle--; event[p] = true
        :: was == VACANT ->
            idle--;
            adopt(p, other);
            if
            :: other == NO_CARRIER -> idle++; asleep[p] = VACANT; was = AWAKE
            :: else -> skip
            fi
        :: else -> skip
        fi
    fi
}

/* weft_balance_wake_one */
inline rouse_one(was, other)
{
    if
    :: idle == 0 -> skip
    :: else ->
        rouse(0, was, other);
        if
        :: was == AWAKE -> rouse(1, was, other)
        :: else -> skip
        fi
    fi
}

/* weft_processor_open_inbox; in core, or visiting */
inline open_inbox(p)
{
    d_step {
        do
        :: inbox[p] ->
            x = FIRST(inbox[p]);
            REMOVE(inbox[p], x);
#ifndef MUTATION_INBOX_KEEPS_TIMER
            REMOVE(timers[p], x);
            home[x] = NO_PROCESSOR;
#endif
            ADD(queue[p], x)
        :: else -> break
        od;
        x = 0
    }
}

inline leave(p, k)
{
    atomic { inside[p]--; owner[p] = OUTSIDE(k) }
}

/* Step 7, by a claimer in core on p. Uses w, h. */
inline make_ready(p, w, h, was, other)
{
    assert(state[w] == PARKED);
    d_step { state[w] = READY; h = home[w] }
    if
#ifdef MUTATION_READY_AWAY
    :: true -> ADD(queue[p], w)
#endif
    :: h == p -> d_step { REMOVE(timers[p], w); home[w] = NO_PROCESSOR; ADD(queue[p], w); h = 0 }
    :: h == NO_PROCESSOR -> d_step { ADD(queue[p], w); h = 0 }
    :: h != p && h != NO_PROCESSOR ->
#ifdef MUTATION_WAKE_FIRST
        rouse(h, was, other);
        ADD(inbox[h], w)
#else
        ADD(inbox[h], w);
        rouse(h, was, other)
#endif
    fi
}

proctype carrier(byte k)
{
    byte p, v, c, n, x, h, was, other;
    bool claimed;

    if
    :: k == 0 -> p = 0; c = WAKER; goto program
#ifndef VACANT_SECOND
    :: k == 1 -> goto loop
    :: k > 1 -> skip
#else
    :: else -> skip
#endif
    fi;
end_spare:
    atomic { wake[k] -> wake[k] = false }

loop: /* weft_dispatch */
    p = held[k];
    if
    :: p == NO_PROCESSOR -> ADD(spares, k); goto end_spare
    :: else -> skip
    fi;
#ifdef VISIT
    if
    :: visitors[p] == 0 -> skip
    :: else ->
        leave(p, k);
        visitors[p] == 0;
        if
        :: atomic { owner[p] == OUTSIDE(k) -> owner[p] = OUTSIDE(k) | IN; come_in(p) }
        :: owner[p] != OUTSIDE(k) && owner[p] != (OUTSIDE(k) | VISITED) -> held[k] = NO_PROCESSOR; goto loop
        fi
    fi;
#endif
    if
    :: global == 0 -> skip
    :: else ->
        d_step {
            if
            :: global -> x = FIRST(global); REMOVE(global, x); ADD(queue[p], x); x = 0
            :: else -> skip
            fi
        }
    fi;
    if
    :: queue[p] || inbox[p] -> goto poll
    :: else -> skip
    fi;

#ifdef STEAL
    v = 1 - p;
    if
    :: atomic { (owner[v] & FLAGS) == 0 -> owner[v] = owner[v] | VISITED; come_in(v) }
        open_inbox(v);
        d_step { assert((queue[p] & queue[v]) == 0); queue[p] = queue[p] | queue[v]; queue[v] = 0; x = 0 }
        atomic {
            assert(owner[v] & VISITED);
            inside[v]--;
            owner[v] = owner[v] & ~VISITED
        }
    :: true -> skip /* it does not look worth it, or is in core */
    fi;
    if
    :: queue[p] -> goto poll
    :: else -> skip
    fi;
#endif

sleep: /* sleep_in_loop */
#ifdef MUTATION_ASLEEP_LATE
    if
    :: inbox[p] || global || visitors[p] -> goto poll
    :: else -> skip
    fi;
#endif
#ifndef MUTATION_IDLE_LATE
    idle++;
#endif
    asleep[p] = ASLEEP;
#if !defined(MUTATION_ASLEEP_LATE) && !defined(MUTATION_NO_RECHECK)
    if
    :: inbox[p] -> goto slept
    :: else -> skip
    fi;
    if
    :: visitors[p] -> goto slept
    :: else -> skip
    fi;
#ifndef MUTATION_NO_GLOBAL_RECHECK
    if
    :: global -> goto slept
    :: else -> skip
    fi;
#endif
#endif
#ifdef MUTATION_IDLE_LATE
    idle++;
#endif
end_sleep:
    atomic { event[p] || timers[p] -> event[p] = false }
slept:
    atomic { was = asleep[p]; asleep[p] = AWAKE }
    if
    :: was == ASLEEP -> idle--
    :: else -> skip
    fi;

poll: /* fire_deadlines */
#ifdef DEADLINE
    if
    :: timers[p] & BIT(KEEPER) ->
        REMOVE(timers[p], KEEPER);
#ifndef MUTATION_NO_CLAIM
        atomic { !lock -> lock = true }
        d_step {
            claimed = (list & BIT(KEEPER)) != 0;
            if
            :: claimed -> REMOVE(list, KEEPER); waiters--
            :: else -> skip
            fi;
            lock = false
        }
#else
        claimed = true;
#endif
        if
        :: claimed -> claimed = false; make_ready(p, KEEPER, h, was, other)
        :: else -> skip
        fi
    :: true -> skip
    fi;
#endif
    open_inbox(p);
    if
    :: queue[p] & BIT(KEEPER) -> n = KEEPER
    :: queue[p] & BIT(WAKER) -> n = WAKER
    :: queue[p] == 0 -> goto loop
    fi;
    REMOVE(queue[p], n);

dispatch: /* n, taken from the queue of p, in core */
    atomic {
        assert(state[n] == READY && saved[n] && where[n] == NO_CARRIER && home[n] == NO_PROCESSOR);
        c = n;
        n = 0;
        state[c] = RUNNING;
        saved[c] = false;
        where[c] = k
    }
    if
    :: resume_at[c] == AT_START -> leave(p, k); goto program
    :: resume_at[c] == AT_ENTERED -> goto entered
    :: resume_at[c] == AT_PARKED -> leave(p, k); goto program
    fi;

program: /* outside of core */
    if
    :: c == KEEPER && kept == ROUNDS -> goto enter
    :: c == KEEPER && kept < ROUNDS ->
        if
        :: word > kept -> kept++; goto program
        :: word == kept -> goto enter
        fi
    :: c == WAKER && word < ROUNDS ->
#ifdef KERNEL
        if
        :: goto enter /* to give the processor away; resumed below */
        :: true -> skip
        fi;
#endif
stored:
#ifdef VISIT
        if
        :: v = 1 - p;
            visitors[v]++;
            do
            :: atomic { (owner[v] & FLAGS) == 0 -> owner[v] = owner[v] | VISITED; come_in(v) }
                break
            :: asleep[v] == ASLEEP -> rouse(v, was, other)
            od;
            atomic { inside[v]--; owner[v] = owner[v] & ~VISITED }
            visitors[v]--
        :: true -> skip
        fi;
#endif
        word++;
        if
        :: waiters == 0 -> goto woken
        :: else -> claimed = true; goto enter /* claimed: it is the wake that it enters for */
        fi
    :: c == WAKER && word == ROUNDS -> goto enter
    fi;

enter: /* step 1 */
    if
    :: atomic { owner[p] == OUTSIDE(k) -> owner[p] = OUTSIDE(k) | IN; come_in(p) }
#ifdef MUTATION_ENTER_OVER_VISITOR
    :: atomic { owner[p] == (OUTSIDE(k) | VISITED) -> owner[p] = OUTSIDE(k) | IN; come_in(p) }
#endif
    :: owner[p] != OUTSIDE(k) && owner[p] != (OUTSIDE(k) | VISITED) -> /* it was taken: wait_for_processor */
        held[k] = NO_PROCESSOR;
        d_step { state[c] = READY; resume_at[c] = AT_ENTERED; wakes_for[c] = claimed; claimed = false }
        goto lost
    fi;
    goto in_core;

lost:
#ifdef MUTATION_GLOBAL_EARLY
    ADD(global, c);
    d_step { saved[c] = true; where[c] = NO_CARRIER }
#else
    atomic { saved[c] = true; where[c] = NO_CARRIER }
    ADD(global, c);
#endif
#ifndef MUTATION_GLOBAL_WAKES_NONE
    rouse_one(was, other);
#endif
    goto loop;

entered:
    atomic { claimed = wakes_for[c]; wakes_for[c] = false }

in_core: /* in core with processor p: what the coroutine came for */
    if
    :: c == KEEPER && kept == ROUNDS -> goto finish
    :: c == KEEPER && kept < ROUNDS -> goto wait
    :: c == WAKER && claimed -> claimed = false; goto wake_up
    :: c == WAKER && !claimed && word < ROUNDS && !in_kernel -> goto give_away
    :: c == WAKER && !claimed && word < ROUNDS && in_kernel -> in_kernel = false; leave(p, k); goto stored
    :: c == WAKER && !claimed && word == ROUNDS -> goto finish
    fi;

wait: /* weft_futex_wait */
    atomic { !lock -> lock = true }
#ifdef DEADLINE
    d_step { home[c] = p; state[c] = PARKED }
#else
    d_step { home[c] = NO_PROCESSOR; state[c] = PARKED }
#endif
#ifndef MUTATION_COUNTED_LATE
    waiters++;
#endif
    if
    :: word != kept ->
#ifndef MUTATION_COUNTED_LATE
        waiters--;
#endif
        d_step { lock = false; state[c] = RUNNING; home[c] = NO_PROCESSOR }
        leave(p, k);
        goto program
    :: else -> skip
    fi;
#ifdef MUTATION_COUNTED_LATE
    waiters++;
#endif
    d_step {
#ifdef DEADLINE
        assert(((timers[0] | timers[1]) & BIT(c)) == 0);
        timers[p] = timers[p] | BIT(c);
#endif
        ADD(list, c);
        resume_at[c] = AT_PARKED
    }
#ifdef MUTATION_RELEASE_EARLY
    lock = false;
#endif
    /* steps 3 and 4 */
    open_inbox(p);
    if
    :: queue[p] & BIT(WAKER) -> n = WAKER; REMOVE(queue[p], WAKER)
    :: (queue[p] & BIT(WAKER)) == 0 -> n = NO_COROUTINE
    fi;
    d_step { saved[c] = true; where[c] = NO_CARRIER }
    /* step 5, on the next stack */
#ifndef MUTATION_RELEASE_EARLY
    lock = false;
#endif
    if
    :: n == NO_COROUTINE -> n = 0; goto loop
    :: else -> goto dispatch
    fi;

wake_up: /* weft_futex_wake */
    atomic { !lock -> lock = true }
    d_step {
        claimed = (list & BIT(KEEPER)) != 0; /* step 6 */
        if
        :: claimed -> REMOVE(list, KEEPER); waiters--
        :: else -> skip
        fi;
        lock = false
    }
    if
    :: claimed -> claimed = false; make_ready(p, KEEPER, h, was, other)
    :: else -> skip
    fi;
    if /* weft_balance_share: a matter of taste */
    :: true -> rouse_one(was, other)
    :: true -> skip
    fi;
    leave(p, k);
woken:
#ifdef HOG
    kept >= word; /* while (!flag); */
#endif
    goto program;

give_away: /* weft_kernel_enter: the coroutine stays on this carrier */
    in_kernel = true;
    atomic { inside[p]--; owner[p] = NOBODY }
    adopt(p, other);
    if
    :: other == NO_CARRIER -> atomic { owner[p] == NOBODY -> owner[p] = OUTSIDE(k) }
    :: else -> skip
    fi;
    goto enter; /* weft_kernel_leave, after the call */

finish: /* weft_end */
    atomic { state[c] = DONE; where[c] = NO_CARRIER }
    goto poll
}

#ifdef MONITOR
/* A processor whose coroutine is outside of core and stays there, while there is something to do. */
#ifdef MUTATION_TAKE_IGNORES_IN
#define MAY_TAKE(p) (owner[p] && (owner[p] & VISITED) == 0 && asleep[p] == AWAKE && HAS_WORK(p))
#else
#define MAY_TAKE(p) (owner[p] && (owner[p] & FLAGS) == 0 && asleep[p] == AWAKE && HAS_WORK(p))
#endif
#define HAS_WORK(p) (queue[p] || inbox[p] || timers[p] || global)

proctype monitor()
{
    byte p, k, was, other;
end_look:
    if
    :: atomic { MAY_TAKE(0) -> p = 0; k = (owner[0] >> 2) - 1; owner[0] = NOBODY }
    :: atomic { MAY_TAKE(1) -> p = 1; k = (owner[1] >> 2) - 1; owner[1] = NOBODY }
#ifdef STEAL
    :: idle && (MAY_TAKE(0) || MAY_TAKE(1)) -> rouse_one(was, other); goto end_look
#endif
    fi;
    adopt(p, other);
    if
    :: other == NO_CARRIER -> atomic { owner[p] == NOBODY -> owner[p] = OUTSIDE(k) }
    :: else -> skip
    fi;
    goto end_look
}
#endif

proctype judge()
{
    state[KEEPER] == DONE && state[WAKER] == DONE
}

init
{
    atomic {
        byte i;
        for (i : 0 .. CARRIERS - 1) {
            held[i] = NO_PROCESSOR;
            if
#ifndef VACANT_SECOND
            :: i > 1 -> spares = spares | BIT(i)
#else
            :: i > 0 -> spares = spares | BIT(i)
#endif
            :: else -> skip
            fi;
            run carrier(i)
        }
        held[0] = 0;
        owner[0] = OUTSIDE(0);
#ifndef VACANT_SECOND
        held[1] = 1;
        owner[1] = OUTSIDE(1) | IN;
        inside[1] = 1;
#else
        asleep[1] = VACANT;
        idle = 1;
#endif
        state[WAKER] = RUNNING;
        where[WAKER] = 0;
        home[WAKER] = NO_PROCESSOR;
        state[KEEPER] = READY;
        where[KEEPER] = NO_CARRIER;
        home[KEEPER] = NO_PROCESSOR;
        saved[KEEPER] = true;
#ifndef VACANT_SECOND
        queue[1] = BIT(KEEPER);
#else
        queue[0] = BIT(KEEPER);
#endif
#ifdef MONITOR
        run monitor();
#endif
        run judge()
    }
}
