/* SPDX-License-Identifier: MIT */
/* The ids of all threads are set at once. */
#ifndef WEFT_HOOKS_CREDENTIALS_H
#define WEFT_HOOKS_CREDENTIALS_H

#include "../core/coroutine.h"

/* `self` tells another thread, by glibc's signal, to make a call that it will make itself last. */
void weft_set_ids_announce(struct coroutine *self);

/* In the child of a fork: nobody has. */
void weft_set_ids_restart(void);

#endif
