/* SPDX-License-Identifier: MIT */
#ifndef WEFT_HOOKS_SLEEP_H
#define WEFT_HOOKS_SLEEP_H

#include <stdint.h>

#include "../core/coroutine.h"

/* Sleeps until the deadline (ns of CLOCK_MONOTONIC; WEFT_NEVER: a signal). Parks. Returns 0, -EINTR or
 * -ENOMEM.
 */
long weft_sleep_until(struct coroutine *self, int64_t deadline);

#endif
