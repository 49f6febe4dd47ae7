/* SPDX-License-Identifier: MIT */
/*
 * The CPU time of coroutines. The kernel measures kernel threads, so what a coroutine used is the sum of what
 * its carriers used while they ran it.
 *
 * Nothing is counted until somebody asks for the first time (weft_cpu_time_begin): a reading at each switch
 * would cost half a switch. From then on the processors are `clocked`, and weft_processor_pick reads the
 * carrier's clock on its long way. What was used before is known of the one who asks only, and roughly: what
 * its carrier has used.
 *
 * The kernel's clock of a thread costs half a microsecond, twelve switches. So a carrier asks it at most
 * every WEFT_CPU_TIME_ASK, and takes the monotonic clock's word in between (20 ns). A longer run is always
 * asked for. Where the estimate was too high, because the kernel had run something else meanwhile, nothing is
 * counted until the kernel's clock has caught up: all that is counted is at most WEFT_CPU_TIME_ASK more than
 * what the kernel has counted, on each carrier. Of the time that a carrier uses for itself at most as much
 * counts for who runs next.
 *
 * A clock never goes backwards, whoever reads it.
 */
#ifndef WEFT_CORE_CPU_TIME_H
#define WEFT_CORE_CPU_TIME_H

#include "processor.h"

#define WEFT_CPU_TIME_ASK INT64_C(20000) /* ns */

/* Begins to count, once and for good. By a coroutine, not in core. May park (reason: processor). */
void weft_cpu_time_begin(void);

/* ns of CPU time that the coroutine has used. After weft_cpu_time_begin, not in core. */
int64_t weft_cpu_time(struct coroutine *coroutine);

/* The same without a lock, for signal handlers: not more, but less when the coroutine is being switched. */
int64_t weft_cpu_time_peek(struct coroutine *coroutine);

/* `carrier` runs `next` from now on, instead of what it ran so far. On its kernel thread, in core. */
void weft_cpu_time_switch(struct carrier *carrier, struct coroutine *next);

/* `carrier` stops running what it ran. `running` is cleared already. */
static inline void weft_cpu_time_stop(struct carrier *carrier)
{
    if (__builtin_expect(__atomic_load_n(&carrier->clock.clocked, __ATOMIC_SEQ_CST) != NULL, 0))
        weft_cpu_time_switch(carrier, NULL);
}

/* The kernel thread of `carrier` is new. */
void weft_cpu_time_forget(struct carrier *carrier);

/* In the child of a fork, where the processors are new and `self` has used nothing yet. */
void weft_cpu_time_restart(struct coroutine *self);

#endif
