/* SPDX-License-Identifier: MIT */
#include "block.h"

#include "../core/monitor.h"
#include "hooks.h"

long weft_block_in_kernel(const struct weft_call *call)
{
    struct coroutine *self = weft_current;
    weft_kernel_enter(self);
    long result = weft_call_interruptible(call, self);
    weft_kernel_leave(self);
    return result;
}

/* Calls that seldom wait: the processor stays here until the monitor takes it. */
WEFT_HOOK(interruptible)
{
    return weft_call_interruptible(call, weft_current);
}

WEFT_HOOK(blocking)
{
    return weft_block_in_kernel(call);
}
