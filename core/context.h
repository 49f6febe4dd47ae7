/* SPDX-License-Identifier: MIT */
/*
 * A context is what the switch saves of a flow of control that does not run: its stack pointer
 * and its FS base. Everything else lies on its own stack:
 *
 *      higher addresses
 *      ┌──────────────────────────────┐
 *      │ frames of the suspended code │
 *      │ return address               │  of weft_switch or weft_switch_call
 *      │ rbp rbx r12 r13 r14 r15      │
 *      │ xmm15 … xmm0                 │  weft_switch_call only: 256 bytes, padded to align
 *      │ x87 status, control │ mxcsr  │  8 bytes
 *      │ resume address               │  code that undoes the above
 *      └──────────────────────────────┘ ◄── context.rsp
 *      lower addresses
 *
 * A context is loaded by exactly one kernel thread at a time. Whoever publishes a context (to a
 * wait queue, a run queue) does so in `after`, which runs on the stack of the context that was
 * switched to, when all of the above is stored: so no other processor can load it too early.
 */
#ifndef WEFT_CORE_CONTEXT_H
#define WEFT_CORE_CONTEXT_H

#include <stddef.h>
#include <stdint.h>

#include "layout.h"

struct weft_context {
    void *rsp;         /* valid while suspended */
    uintptr_t fs_base; /* constant for a coroutine's life */
};

_Static_assert(offsetof(struct weft_context, rsp) == WEFT_CONTEXT_RSP, "layout.h");
_Static_assert(offsetof(struct weft_context, fs_base) == WEFT_CONTEXT_FS_BASE, "layout.h");

/*
 * Saves the running flow in `from`, loads `to`, calls after(argument) on its stack (unless NULL;
 * general registers only are used there before `to`'s own are restored) and goes on in `to`.
 * Returns when somebody switches back to `from`. Saves the registers that a C function preserves,
 * MXCSR and the x87 control and status words.
 */
void weft_switch(struct weft_context *from, struct weft_context *to, void (*after)(void *), void *argument);

/* The same for the inside of a system call, which preserves xmm0-15 too. */
void weft_switch_call(struct weft_context *from, struct weft_context *to, void (*after)(void *),
                      void *argument);

/*
 * Prepares `context` so that the first switch to it calls entry(argument) on the stack that ends
 * at `top`, with the FS base given. `entry` must not return. It inherits the floating-point
 * environment of the caller of this function.
 */
void weft_context_prepare(struct weft_context *context, void *top, uintptr_t fs_base, void (*entry)(void *),
                          void *argument);

/*
 * Prepares `context` so that the first switch to it returns 0 from the system call whose
 * struct weft_call stands at `call`, with the registers recorded there.
 */
void weft_context_prepare_call_return(struct weft_context *context, void *call, uintptr_t fs_base);

/* Calls function(argument), which may use vector registers, from code whose caller's are live. */
void weft_vectors_preserved(void (*function)(void *), void *argument);

/* The FS base of the running thread. */
uintptr_t weft_fs_base(void);

/* True when the kernel lets programs write the FS base themselves (FSGSBASE); set by weft_context_initialize.
 */
extern uint8_t weft_has_fsgsbase;
void weft_context_initialize(void);

#endif
