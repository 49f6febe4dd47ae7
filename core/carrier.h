/* SPDX-License-Identifier: MIT */
/* Carriers: the kernel threads that run coroutines. See processor.h for what they own. */
#ifndef WEFT_CORE_CARRIER_H
#define WEFT_CORE_CARRIER_H

#include "processor.h"

/* A carrier with a stack and a thread block, without a kernel thread yet; NULL when out of memory. */
struct carrier *weft_carrier_create(void);

/* Takes back one that has no kernel thread. */
void weft_carrier_give(struct carrier *carrier);

/* Starts a kernel thread on the stack and with the thread block of `carrier`, which runs entry(carrier).
 * Returns 0 or -errno. */
int weft_carrier_clone_thread(struct carrier *carrier, void (*entry)(void *));

/* Gives `processor`, which is nobody's (the caller has set its owner to 0, or woke a vacant one), to a spare
 * or new carrier. Returns 0 or -errno. */
int weft_carrier_adopt(struct processor *processor);

/* Makes a spare or new carrier the deputy (lone.h) of a processor that has none. Returns 0 or -errno. */
int weft_carrier_depute(struct processor *processor);

/* In core: gives the processor away; `carrier` goes on without it, or, when no other can be had, outside of
 * core. */
bool weft_carrier_hand_on(struct carrier *carrier, struct processor *processor);

/* Sets the owner of a processor that is nobody's. */
void weft_carrier_hold(struct processor *processor, uintptr_t owner);

/* A carrier's own way back into core. Returns false when the processor is somebody else's. */
bool weft_carrier_return(struct carrier *carrier, struct processor *processor);

/* The carrier context's endless loop. */
_Noreturn void weft_carrier_run(void *carrier);

/* After a fork: forgets the other carriers and the global queue, which exist no more. */
void weft_carriers_forget(struct carrier *carrier);

/* On the carrier's kernel thread, once: gives it a stack for signal handlers. */
void weft_carrier_begin_signals(struct carrier *carrier);

/* The carriers that have, or had, a kernel thread, through next_started. Callable from signal handlers. */
struct carrier *weft_carrier_first(void);

/* What its kernel thread has computed, ns; -1 when that has ended. From anywhere. */
int64_t weft_carrier_cpu_time(const struct carrier *carrier);

/* Number of carriers that have a kernel thread; those that are about to end count. */
unsigned weft_carrier_count(void);

#endif
