/* SPDX-License-Identifier: MIT */
/* Priority-inheritance locks in memory that other processes map. Those in our own are core/futex.h's. */
#ifndef WEFT_HOOKS_FUTEX_PI_H
#define WEFT_HOOKS_FUTEX_PI_H

#include <linux/futex.h>
#include <stdbool.h>
#include <stdint.h>

#include "call.h"

#ifndef FUTEX_LOCK_PI2 /* Linux 5.14 */
#define FUTEX_LOCK_PI2 13
#endif

/* FUTEX_LOCK_PI and its relatives: `realtime` is the clock of the call's timeout. Returns 0, -EDEADLK,
 * -EAGAIN (only tried), -ETIMEDOUT, -EINTR. Waits in the kernel. */
long weft_futex_lock_pi_shared(const struct weft_call *call, bool realtime, bool try_only);

/* FUTEX_UNLOCK_PI: 0 or -EPERM. Does not park. */
long weft_futex_unlock_pi_shared(uint32_t *address);

#endif
