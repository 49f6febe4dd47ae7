/* SPDX-License-Identifier: MIT */
/*
 * The barriers of a futex wait (core/futex.c, core/park.c), for spin: each kernel thread has a store buffer, as on
 * x86. A plain store becomes visible at any later time, in its order; a locked instruction waits until all before it
 * are. A load sees what is visible. (No thread here loads what it may have in its own buffer.)
 *
 * The scene: KEEPER waits once for the word to change, then ends its call and goes on in the program; WAKER changes
 * the word and wakes, before, meanwhile or after; SENDER has a signal for KEEPER. With NO_WAKER or NO_SENDER one of
 * them does not come. The claims: nobody waits for ever, and the signal is seen, by a look at `due` or because a kick
 * finds the keeper in the program. MUTATION_* take one barrier or one measure away each; spin must find each.
 */
#define KEEPER  0
#define WAKER   1
#define SENDER  2
#define THREADS 3

/* places */
#define WORD    0
#define WAITERS 1 /* bucket->waiters */
#define LINKED  2 /* the keeper stands in the bucket's list */
#define STATE   3
#define DUE     4 /* signal_due */
#define PLACES  5

#define RUNNING 0
#define PARKED  1
#define READY   2

byte memory[PLACES];
chan buffer[THREADS] = [4] of { byte, byte };
bool locked;  /* the bucket */
bool readied; /* by a claimer: the keeper is in a run queue */
bool kicked;     /* the keeper's kernel thread is to be interrupted */
bool in_program; /* the keeper's last look is behind it */

#define store(thread, place, value) buffer[thread]!place, value
#define visible(thread) empty(buffer[thread])

/* a locked instruction */
#define barrier(thread) atomic { visible(thread) -> skip }
#define lock(thread) atomic { visible(thread) && !locked -> locked = true }

/* the release may be a plain store: it comes after those before it */
#define unlock(thread) atomic { visible(thread) -> locked = false }

active [THREADS] proctype memory_system()
{
    byte place, value;
end_drained:
    atomic { buffer[_pid]?place, value -> memory[place] = value };
    goto end_drained
}

inline claim(thread)
{
    store(thread, LINKED, false);
    store(thread, WAITERS, memory[WAITERS] - 1); /* the lock is held */
    store(thread, STATE, READY);
    unlock(thread);
    readied = true /* a queue is handed on by locked instructions */
}

active proctype keeper()
{
    barrier(KEEPER); /* enters core */
    lock(KEEPER);
#ifndef MUTATION_STATE_LATE
    store(KEEPER, STATE, PARKED);
#endif
#ifdef MUTATION_COUNT_IS_NO_BARRIER
    memory[WAITERS]++;
#else
    atomic { visible(KEEPER) -> memory[WAITERS]++ }
#endif
    if
    :: memory[WORD] != 0 -> /* does not wait */
        store(KEEPER, WAITERS, memory[WAITERS] - 1);
        unlock(KEEPER);
        store(KEEPER, STATE, RUNNING);
        goto end_of_call
    :: else -> skip
    fi;
#ifdef MUTATION_STATE_LATE
    store(KEEPER, STATE, PARKED);
#endif
    store(KEEPER, LINKED, true);
    if
    :: memory[DUE] != 0 -> /* parks, and is interrupted by its carrier */
        unlock(KEEPER);
        lock(KEEPER);
        if
        :: memory[LINKED] -> claim(KEEPER)
        :: else -> unlock(KEEPER)
        fi
    :: else -> unlock(KEEPER)
    fi;
    readied; /* parked */
    store(KEEPER, STATE, RUNNING);

end_of_call:
    do
    :: atomic { memory[DUE] != 0 && visible(KEEPER) -> memory[DUE] = 0 }
    :: atomic { memory[DUE] == 0 -> in_program = true; break } /* a kick behind this look is seen (preload/entry.S) */
    od
}

#ifndef NO_WAKER
active proctype waker()
{
    store(WAKER, WORD, 1);
#ifndef MUTATION_WAKER_LOOKS_EARLY
    barrier(WAKER); /* enters core */
#endif
    if
    :: memory[WAITERS] == 0 -> goto done
    :: else -> skip
    fi;
    lock(WAKER);
    if
    :: memory[LINKED] -> claim(WAKER)
    :: else -> unlock(WAKER)
    fi;
done:
    skip
}
#endif

#ifndef NO_SENDER
active proctype sender()
{
    byte state;
    bool claimed;
    store(SENDER, DUE, 1);
#ifndef MUTATION_SENDER_LOOKS_EARLY
    barrier(SENDER);
#endif
    state = memory[STATE];
    if
    :: state == RUNNING -> kicked = true
    :: state == PARKED ->
        lock(SENDER);
        if
        :: memory[LINKED] -> claim(SENDER); claimed = true
        :: else -> unlock(SENDER)
        fi
    :: else -> skip
    fi;
#ifndef MUTATION_READY_IS_LEFT_ALONE
    if
    :: state != RUNNING && !claimed -> /* it may be running, and that not yet visible: a second look when it is */
        atomic { visible(KEEPER) -> state = memory[STATE] };
        if
        :: state == RUNNING -> kicked = true
        :: else -> skip
        fi
    :: else -> skip
    fi
#endif
}

/* An interrupt comes between two instructions, and what was stored before it is visible then. In the middle of a wait
 * it changes nothing. */
active proctype kernel()
{
end_not_kicked:
    atomic {
        kicked && visible(KEEPER) ->
        if
        :: in_program -> memory[DUE] = 0
        :: else -> skip
        fi
    }
}
#endif

active proctype judge()
{
    timeout;
    assert(in_program);
    assert(memory[DUE] == 0)
}
