/* SPDX-License-Identifier: MIT */
/* Which futexes are ours, for both generations of calls; the rule stands in futex.c. */
#ifndef WEFT_HOOKS_FUTEX_WORDS_H
#define WEFT_HOOKS_FUTEX_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "call.h"

/* The word in which pthread_join waits for the thread whose id is `value`. */
bool weft_futex_is_thread_word(const uint32_t *address, uint32_t value);

/* Wakes ours and, if they are too few and the futex is not private, the kernel's by `operation`. */
long weft_futex_wake_both(struct coroutine *self, uint32_t *address, int operation, int count,
                          uint32_t bitset);

/* Waits in the kernel, for private futexes too, where our wakes reach it. */
long weft_futex_block_in_kernel(const struct weft_call *call);

#endif
