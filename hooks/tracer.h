/* SPDX-License-Identifier: MIT */
/* Children that are traced, and who traces them. */
#ifndef WEFT_HOOKS_TRACER_H
#define WEFT_HOOKS_TRACER_H

#include <stdbool.h>

struct coroutine;

/* Before a fork: the child shall be able to say that it is traced. */
void weft_tracer_prepare(void);

/* After it: `self` has made the process `pid`. */
void weft_tracer_note(const struct coroutine *self, int pid);

/* In the child. */
void weft_tracer_restart(void);

/* True when a child is, or was, traced: then the kernel waits for all, since no pidfd tells of stops. */
bool weft_traced(void);

/* One that becomes readable when that becomes true; -1: there is none. */
int weft_traced_descriptor(void);

#endif
