/* SPDX-License-Identifier: MIT */
/*
 * Where carriers run.
 *
 * Mostly the kernel says. But a carrier serves many connections, and when their peers are threads of this
 * machine, the kernel draws it now to the CPU of one of them and now to that of another, while it leaves the
 * peers where they are: most wake-ups then cross to the other CPU, with an interrupt and a cold cache each.
 * Between threads of which each has one peer the kernel brings the two together; natively half of all pairs,
 * or nearly all, share a CPU.
 *
 * So when there is a processor for each CPU and all have much to do, each may get a CPU of its own: its
 * carrier is pinned there, and who waits for a connection moves to the processor on whose CPU the last packet
 * came in (hooks/wait.c). Whether that makes the work faster is found by trial (parallelism.h); against a
 * MariaDB sysbench with 64 threads did half as much again.
 *
 * A carrier follows its processor when it next passes its own loop (weft_place_follow). Without a processor
 * it may run the program's code for long, as the kernel sees fit: who leaves his processor so, or makes a
 * kernel thread or a process, which inherit the pin, is released first.
 *
 * Locks: one protects every carrier's `cpu` and its kernel thread's affinity, over one or two system calls.
 */
#ifndef WEFT_CORE_PLACE_H
#define WEFT_CORE_PLACE_H

#include "processor.h"

/* By the monitor: pins. Returns false, and does nothing, unless there is a processor for each CPU that the
 * process may run on, and more than one. */
bool weft_place_begin(void);

/* By the monitor: all run where the kernel likes. */
void weft_place_end(void);

/* True between the two. From anywhere: a hint. */
bool weft_placed(void);

/* In the child of a fork, and at the start: nothing is pinned. */
void weft_place_forget(void);

/* On a kernel thread that has just begun, perhaps as a copy of a pinned one. */
void weft_place_begin_thread(struct carrier *carrier);

void weft_place_move(struct carrier *carrier, int cpu);

/* By the carrier, which has a processor. */
static inline void weft_place_follow(struct carrier *carrier)
{
    int cpu = __atomic_load_n(&carrier->processor->cpu, __ATOMIC_RELAXED);
    if (__builtin_expect(__atomic_load_n(&carrier->cpu, __ATOMIC_RELAXED) != cpu, 0))
        weft_place_move(carrier, cpu);
}

/* By the carrier, or by who has taken its processor from it. */
static inline void weft_place_release(struct carrier *carrier)
{
    if (__builtin_expect(__atomic_load_n(&carrier->cpu, __ATOMIC_RELAXED) != WEFT_ANYWHERE, 0))
        weft_place_move(carrier, WEFT_ANYWHERE);
}

/* The processor whose carrier is pinned to the CPU, or NULL. From anywhere: a hint. */
struct processor *weft_place_processor(int cpu);

#endif
