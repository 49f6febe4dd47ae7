/* SPDX-License-Identifier: MIT */
/*
 * Errands: system calls that the kernel takes from one kernel thread only, made by it whatever it is doing,
 * in the handler of a kick.
 */
#ifndef WEFT_CORE_ERRAND_H
#define WEFT_CORE_ERRAND_H

#include "processor.h"

/* Has the kernel thread of `carrier`, not the caller's, make the call, which must not wait. Returns what the
 * kernel says; -ESRCH when the thread has ended. Not in core; spins, for as long as that thread blocks
 * signals. */
long weft_errand(struct carrier *carrier, long number, const long *arguments);

/* In the handler of a kick, on the carrier's kernel thread. */
void weft_errand_serve(const struct carrier *carrier);

/* In the child of a fork: nobody waits. */
void weft_errands_forget(void);

#endif
