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
 * When all work is left to one processor, and other CPUs are filled by threads that compute, it is not the
 * processor that has a CPU, but its peers: its carrier is pinned where they are (weft_place_draw), and moves
 * when they do. On CPUs that they do not share, it would wait for a hog before each answer, and they before
 * each request, and an echo had a third of the rate.
 *
 * A carrier follows its processor when it next passes its own loop (weft_place_follow). Without a processor
 * it may run the program's code for long, as the kernel sees fit: who leaves his processor so, or makes a
 * kernel thread or a process, which inherit the pin, is released first.
 *
 * Locks: one protects every carrier's `cpu` and its kernel thread's affinity, over some system calls, and
 * every processor's `cpu`, which is read without it.
 */
#ifndef WEFT_CORE_PLACE_H
#define WEFT_CORE_PLACE_H

#include "processor.h"

/* By the monitor: pins those that share the work, all or one (parallelism.h). Returns false, and does
 * nothing, unless there is a processor for each CPU that the process may run on, and more than one. */
bool weft_place_begin(void);

/* By the monitor: all run where the kernel likes. */
void weft_place_end(void);

/* By the monitor, in every window: who computes leaves the CPU to which the one processor has gone. The
 * kernel would see to that, too, but takes up to half a second. */
void weft_place_look(void);

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

/* In core on `processor`, whose peer is on `cpu`: whether it goes there itself, when it is alone and enough
 * of its peers are. False when there are others: then it is for the coroutine to go. */
bool weft_place_draw(struct processor *processor, int cpu);

/* The processor whose carrier is pinned to the CPU, or NULL. From anywhere: a hint. */
struct processor *weft_place_processor(int cpu);

#endif
