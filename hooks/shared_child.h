/* SPDX-License-Identifier: MIT */
/* Children that share our memory: those of posix_spawn and of vfork. Includable from C and from assembly. */
#ifndef WEFT_HOOKS_SHARED_CHILD_H
#define WEFT_HOOKS_SHARED_CHILD_H

/* Bytes of a thread's stack, from the end of its call down to shared_clone.S. */
#define WEFT_KEPT_STACK 2048

#ifndef __ASSEMBLER__

#include <stdbool.h>

#include "call.h"

/*
 * Executes the call, a clone with CLONE_VM whose child has a stack of its own (posix_spawn). Returns what the
 * call returns in the parent, with CLONE_VFORK when the child has executed something or ended. May park
 * afterwards (reason: processor).
 */
long weft_share_memory(struct weft_call *call);

/* The same when the child runs on the stack of the call (vfork). -ENOMEM also when weft itself has no memory.
 */
long weft_share_stack(struct weft_call *call);

/* True while there is a child of the latter kind. */
bool weft_child_shares_stack(void);

/* In the child of a fork, which has none. */
void weft_shared_children_restart(void);

#endif
#endif
