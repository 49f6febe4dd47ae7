/* SPDX-License-Identifier: MIT */
/* Terminals: what readiness does not tell of them, and job control. */
#ifndef WEFT_HOOKS_TERMINAL_H
#define WEFT_HOOKS_TERMINAL_H

#include <stdbool.h>

#include "call.h"

/* A read of it does not end with the first byte (or line) and not without one: VMIN and VTIME, termios(3). */
bool weft_terminal_counts(int fd);

bool weft_terminal_hung_up(int fd);

/* It is the controlling terminal and its foreground is another process group: the kernel looks at what the
 * caller does with SIGTTIN and SIGTTOU (weft_block_under_job_control). */
bool weft_terminal_in_background(int fd);

/* An ioctl that is such a call, when in the background. */
bool weft_terminal_controls_jobs(unsigned long request);

#endif
