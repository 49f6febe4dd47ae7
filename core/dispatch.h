/* SPDX-License-Identifier: MIT */
/* What a carrier does between coroutines: looks, sleeps, and dispatches the next one. */
#ifndef WEFT_CORE_DISPATCH_H
#define WEFT_CORE_DISPATCH_H

/* The endless loop of a carrier's context, on its own stack; `carrier`: struct carrier *. */
_Noreturn void weft_dispatch(void *carrier);

#endif
