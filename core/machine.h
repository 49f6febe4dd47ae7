/* SPDX-License-Identifier: MIT */
/* All processors together: their start, and what a fork needs. None of these functions parks. */
#ifndef WEFT_CORE_MACHINE_H
#define WEFT_CORE_MACHINE_H

#include "coroutine.h"

/* More processors than this are not offered: each has two descriptors. */
#define WEFT_PROCESSORS_LIMIT 200

/*
 * Sets up `count` processors (the others than the first get carriers when there is work for them) and makes
 * the calling kernel thread the first carrier, its flow of control the main coroutine. Returns 0 or -errno,
 * with nothing changed.
 */
int weft_machine_start(unsigned count);

/* Lets nobody in core until weft_machine_release: between the two no lock of core/ that is taken there is
 * held, so the memory may be copied. Not in core. */
void weft_machine_stop(void);
void weft_machine_release(void);

/* The child of a fork made between those two: only `self` and its carrier are left. Returns 0 or -errno. */
int weft_machine_restart(struct coroutine *self);

#endif
