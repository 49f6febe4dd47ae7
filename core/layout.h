/* SPDX-License-Identifier: MIT */
/*
 * Offsets that assembly shares with C. The C side holds them with _Static_assert beside the
 * structures (core/context.h, hooks/call.h).
 */
#ifndef WEFT_CORE_LAYOUT_H
#define WEFT_CORE_LAYOUT_H

/* struct weft_context */
#define WEFT_CONTEXT_RSP     0
#define WEFT_CONTEXT_FS_BASE 8

/* struct coroutine */
#define WEFT_COROUTINE_IN_HOOK    16
#define WEFT_COROUTINE_SIGNAL_DUE 18

/* struct weft_call */
#define WEFT_CALL_NUMBER      0
#define WEFT_CALL_ARGUMENTS   8
#define WEFT_CALL_PRESERVED   56
#define WEFT_CALL_SLOT_RETURN 104
#define WEFT_CALL_SITE_NEXT   112
#define WEFT_CALL_SIZE        120
#define WEFT_RED_ZONE         128

/* Bytes of the stack that a hook may need, handlers at its end not counted. The deepest that was measured:
 * select, 1,720 below the program's frame. */
#define WEFT_HOOK_STACK 2048

/* hooks[] has this many entries; a call with a higher number is the kernel's alone. */
#define WEFT_CALL_LIMIT 464

#endif
