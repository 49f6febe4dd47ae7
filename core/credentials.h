/* SPDX-License-Identifier: MIT */
/*
 * The user and group ids of the process. The kernel keeps them for each thread; glibc makes every thread of
 * the program change its own (setuid and its like signal them all), but carriers are none of those: a
 * coroutine that runs on a carrier which was elsewhere at that time would have the old ids, and the old
 * privileges.
 *
 * So whoever has changed the ids of its kernel thread publishes them; the carriers are kicked, and each takes
 * over the ids before it runs program code again. One that is bound with its heirs (bound.h) has ids of its
 * own, which glibc's handler changes.
 */
#ifndef WEFT_CORE_CREDENTIALS_H
#define WEFT_CORE_CREDENTIALS_H

#include "processor.h"

/* The calling kernel thread, of carrier `self`, has new ids: returns when no carrier runs program code with
 * others. In a hook, not in core. Does not park. */
void weft_credentials_publish(struct carrier *self);

/* Counts the publications. From anywhere. */
unsigned weft_credentials_published(void);

/* Takes over what was published last. On the carrier's kernel thread, with all signals blocked; also in a
 * handler. NULL: nothing. */
void weft_credentials_follow(struct carrier *carrier);

/* In the child of a fork: `carrier` has its ids, and all others will have them from it. */
void weft_credentials_restart(struct carrier *carrier);

#endif
