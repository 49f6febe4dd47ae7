/* SPDX-License-Identifier: MIT */
/* Calls after which a thread needs a kernel thread of its own. */
#ifndef WEFT_HOOKS_BOUND_H
#define WEFT_HOOKS_BOUND_H

#include "call.h"

/* Executes the call in the kernel, and binds the caller if it has changed what cannot be moved. May park
 * (reason: processor).
 */
long weft_bind_by(const struct weft_call *call);

#endif
