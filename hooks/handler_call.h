/* SPDX-License-Identifier: MIT */
/* Calling the program's signal handlers: handler_call.S. Includable from C and from assembly. */
#ifndef WEFT_HOOKS_HANDLER_CALL_H
#define WEFT_HOOKS_HANDLER_CALL_H

#define WEFT_HANDLER_FUNCTION 0
#define WEFT_HANDLER_INFO     8
#define WEFT_HANDLER_CONTEXT  16
#define WEFT_HANDLER_STACK    24
#define WEFT_HANDLER_STATE    32
#define WEFT_HANDLER_NUMBER   40
#define WEFT_HANDLER_FEATURES 44

#ifndef __ASSEMBLER__

#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <ucontext.h>

typedef void weft_handler_function(int, siginfo_t *, void *);

struct weft_handler_call {
    weft_handler_function *function;
    siginfo_t *info;
    ucontext_t *context;
    uintptr_t stack; /* the top of the stack to run on; 0: the caller's */
    void *state;     /* room for the floating-point and vector state, to be saved; NULL: it is already */
    int number;
    uint32_t features; /* of the XSAVE instruction; 0: FXSAVE */
};

_Static_assert(offsetof(struct weft_handler_call, function) == WEFT_HANDLER_FUNCTION, "offset");
_Static_assert(offsetof(struct weft_handler_call, info) == WEFT_HANDLER_INFO, "offset");
_Static_assert(offsetof(struct weft_handler_call, context) == WEFT_HANDLER_CONTEXT, "offset");
_Static_assert(offsetof(struct weft_handler_call, stack) == WEFT_HANDLER_STACK, "offset");
_Static_assert(offsetof(struct weft_handler_call, state) == WEFT_HANDLER_STATE, "offset");
_Static_assert(offsetof(struct weft_handler_call, number) == WEFT_HANDLER_NUMBER, "offset");
_Static_assert(offsetof(struct weft_handler_call, features) == WEFT_HANDLER_FEATURES, "offset");

void weft_handler_call(const struct weft_handler_call *call);
_Noreturn void weft_handler_leave(const greg_t *registers);
_Noreturn void weft_handler_continue(void *frame, int number, siginfo_t *info, void *context,
                                     weft_handler_function *function);

#endif
#endif
