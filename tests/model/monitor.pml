/* SPDX-License-Identifier: MIT */
/*
 * How the monitor goes to sleep (core/monitor.c, rule 4), for spin, in a memory with store buffers, as in barriers.pml.
 *
 * The scene: MAKER makes a coroutine ready, looks whether the monitor sleeps, and computes for ever; MONITOR finds
 * nothing to do, and lies down. The claim: it learns of the coroutine, which else nobody would run.
 */
#define MAKER   0
#define MONITOR 1
#define THREADS 2

/* places */
#define QUEUED 0
#define ASLEEP 1
#define PLACES 2

byte memory[PLACES];
chan buffer[THREADS] = [2] of { byte, byte };
bool woken, seen;

#define store(thread, place, value) buffer[thread]!place, value
#define visible(thread) empty(buffer[thread])

active [THREADS] proctype memory_system()
{
    byte place, value;
end_drained:
    atomic { buffer[_pid]?place, value -> memory[place] = value };
    goto end_drained
}

inline look_whether_it_sleeps()
{
    if
    :: memory[ASLEEP] -> atomic { visible(MAKER) -> memory[ASLEEP] = 0; woken = true }
    :: else -> skip
    fi
}

active proctype maker()
{
#ifdef MUTATION_MAKER_LOOKS_FIRST
    look_whether_it_sleeps();
#endif
    store(MAKER, QUEUED, 1);
#ifndef MUTATION_MAKER_LOOKS_FIRST
    look_whether_it_sleeps()
#endif
}

active proctype monitor()
{
    atomic { visible(MONITOR) -> memory[ASLEEP] = 1 };
#ifndef MUTATION_NO_MEMBARRIER
    atomic { visible(MAKER) -> skip }; /* a barrier in the other thread, while this one waits */
#endif
    if
    :: memory[QUEUED] -> skip
    :: else -> woken
    fi;
    seen = true
}

active proctype judge()
{
    timeout;
    assert(seen)
}
