/* SPDX-License-Identifier: MIT */
/* Terminals: what readiness does not tell of them, and job control. */
#ifndef WEFT_HOOKS_TERMINAL_H
#define WEFT_HOOKS_TERMINAL_H

#include <stdbool.h>

#include "call.h"

/* A read of it does not end with the first byte (or line) and not without one: VMIN and VTIME, termios(3). */
bool weft_terminal_counts(int fd);

bool weft_terminal_hung_up(int fd);

#endif
