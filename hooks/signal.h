/* SPDX-License-Identifier: MIT */
/* Signal handlers of the program, and calls that swap the mask while they wait. */
#ifndef WEFT_HOOKS_SIGNAL_H
#define WEFT_HOOKS_SIGNAL_H

#include <stdint.h>

#include "call.h"

/* Puts our handler in front of those that the program has installed before activation. */
void weft_signals_install(void);

/*
 * Runs `hook` with the signal mask at `mask` (`size` bytes), and the handlers of what that lets in, before
 * the old mask is back: what ppoll, pselect6, epoll_pwait and rt_sigsuspend promise.
 */
long weft_with_signal_mask(struct weft_call *call, const uint64_t *mask, size_t size, weft_hook *hook);

#endif
