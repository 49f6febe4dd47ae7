/* SPDX-License-Identifier: MIT */
/* Carriers: the kernel threads that run coroutines. See processor.h for what they own. */
#ifndef WEFT_CORE_CARRIER_H
#define WEFT_CORE_CARRIER_H

#include "processor.h"

/* A carrier with a stack and a thread block, without a kernel thread yet; NULL when out of memory. */
struct carrier *weft_carrier_create(void);

/* Starts a kernel thread on the stack and with the thread block of `carrier`, which runs entry(carrier).
 * Returns 0 or -errno. */
int weft_carrier_clone_thread(struct carrier *carrier, void (*entry)(void *));

/* The same for the life of a carrier. Not by one that is bound, but for a bound one. */
int weft_carrier_employ(struct carrier *carrier);

/* Ends the calling kernel thread, a carrier's that is on a list of spare.c. */
_Noreturn void weft_carrier_exit(void);

/* Sets the owner of a processor that is nobody's. */
void weft_carrier_hold(struct processor *processor, uintptr_t owner);

/* A carrier's own way back into core. Returns false when the processor is somebody else's. */
bool weft_carrier_return(struct carrier *carrier, struct processor *processor);

/* After a fork: forgets the other carriers and the global queue, which exist no more. */
void weft_carriers_forget(struct carrier *carrier);

/* On the carrier's kernel thread, once: gives it a stack for signal handlers. */
void weft_carrier_begin_signals(struct carrier *carrier);

/* The carriers that have, or had, a kernel thread, through next_started. Callable from signal handlers. */
struct carrier *weft_carrier_first(void);

/* Its kernel thread is the process's first, which never ends: its end would be the process's as far as others
 * can see. */
bool weft_carrier_is_first(const struct carrier *carrier);

/* The calling kernel thread has made a process that lives or was not waited for yet, or traces one. At its
 * end children that asked for it get a signal (prctl(2), PR_SET_PDEATHSIG), and who is traced is let go or
 * killed. */
bool weft_carrier_has_children(void);

/* What its kernel thread has computed, ns; -1 when that has ended. From anywhere. */
int64_t weft_carrier_cpu_time(const struct carrier *carrier);

/* The one whose kernel thread has that id, or NULL. From anywhere. */
struct carrier *weft_carrier_of(int tid);

/* The kernel's id of one that is not bound; 0 when all are. From anywhere. */
int weft_carrier_unbound_id(void);

/* Number of carriers that have a kernel thread; those that are about to end count. */
unsigned weft_carrier_count(void);

#endif
