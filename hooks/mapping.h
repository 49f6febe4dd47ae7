/* SPDX-License-Identifier: MIT */
/*
 * Whose memory is it? The kernel finds a futex that is not marked private by its page: an anonymous one
 * belongs to this process alone, whatever the flag says, and any other may be mapped by somebody else.
 */
#ifndef WEFT_HOOKS_MAPPING_H
#define WEFT_HOOKS_MAPPING_H

#include <stdbool.h>

/* True when no other process can share the word at `address`, which was read just now; false also when that
 * cannot be found out. A few short system calls; does not park. In a hook, not in core. */
bool weft_mapping_is_own(const void *address);

/* In the child of a fork, which has other memory. */
void weft_mapping_restart(void);

#endif
