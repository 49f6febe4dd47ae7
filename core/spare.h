/* SPDX-License-Identifier: MIT */
/* Carriers that are not in use: those that wait for a processor, and those whose kernel thread has ended. */
#ifndef WEFT_CORE_SPARE_H
#define WEFT_CORE_SPARE_H

#include "processor.h"

/* Gives `processor`, which is nobody's (the caller has set its owner to 0, or woke a vacant one), to a spare
 * or new carrier. Returns 0 or -errno. */
int weft_carrier_adopt(struct processor *processor);

/* Makes a spare or new carrier the deputy (lone.h) of a processor that has none. Returns 0 or -errno. */
int weft_carrier_depute(struct processor *processor);

/* Takes a spare in which `hog`, in core, is to go on without a processor; NULL: there is none. It goes on
 * when that is woken, behind the switch away from `hog`. */
struct carrier *weft_spare_take_for(struct coroutine *hog);

/* In core: gives the processor away; `carrier` goes on without it, or, when no other can be had, outside of
 * core. */
bool weft_carrier_hand_on(struct carrier *carrier, struct processor *processor);

/* Returns when somebody has woken it with weft_carrier_wake. On the carrier's own stack, without a
 * processor. */
void weft_carrier_wait(struct carrier *carrier);
void weft_carrier_wake(void *carrier);

/* The same as a spare: until it has a processor, is a deputy or has a hog to run. May end its kernel thread.
 */
void weft_spare_wait(struct carrier *carrier);

/* Ends its kernel thread; one that is the process's first sleeps for good instead, and takes signals. On its
 * own stack, without a processor. */
_Noreturn void weft_carrier_end(struct carrier *carrier);

/* Takes back one that has no kernel thread. */
void weft_carrier_give(struct carrier *carrier);

/* One whose kernel thread has ended, or NULL. */
struct carrier *weft_spare_take_retired(void);

/* A child of the process is gone: spares that stayed because of theirs may end now. From anywhere. */
void weft_carriers_lose_child(void);

/* After a fork: they exist no more. */
void weft_spares_forget(void);

#endif
