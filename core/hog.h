/* SPDX-License-Identifier: MIT */
/*
 * Hogs: coroutines that have computed for long (monitor.h says which). One that leaves core goes on without a
 * processor, beside the carriers, in a spare's kernel thread; the carrier goes on with the others. The other
 * way round, which is what happens when there is no spare, all others would wait until the kernel lets the
 * other kernel thread run, and those whom the carrier has woken on its CPU until it takes that from the hog.
 *
 * The kernel shares the CPUs among kernel threads. Were all hogs to go on at once, the carriers, in which
 * everybody else runs, would be left a small share: natively each thread that echoes has one of its own. So
 * only as many hogs go on as there are processors, and the others wait in their order. One that comes back
 * lets the next go on. It may be long in coming, or wait for one of those that wait: whenever nobody could go
 * on for WEFT_HOG_PATIENCE, the monitor lets another one.
 */
#ifndef WEFT_CORE_HOG_H
#define WEFT_CORE_HOG_H

#include <stdbool.h>
#include <stdint.h>

struct coroutine;

#define WEFT_HOG_PATIENCE INT64_C(10000000) /* ns */

/* In core: `self` may go on now. Otherwise it has to switch away and be passed to weft_hog_wait behind the
 * switch; when it runs again it may. */
bool weft_hog_admit(struct coroutine *self);
void weft_hog_wait(void *self);

/* `self` has come back, or did not go. Nothing when it was not admitted. From anywhere. */
void weft_hog_return(struct coroutine *self);

/* By the monitor, at `now` (CLOCK_MONOTONIC, ns). True while hogs wait. */
bool weft_hogs_look(int64_t now);

/* In the child of a fork: there is only `self`, in core. */
void weft_hogs_forget(struct coroutine *self);

#endif
