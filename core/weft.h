/* SPDX-License-Identifier: MIT */
/*
 * weft.h: asymmetric coroutines for C, as in Lua's coroutine library.
 *
 * A coroutine of this header is a function with a stack of its own that runs inside the thread
 * that resumes it: it sees that thread's __thread variables and errno. resume() runs it until it
 * yields or returns; values pass both ways. A coroutine may be resumed by another thread than the
 * one that resumed it last, but only by one at a time.
 *
 *     resumer                                 coroutine
 *     weft_coroutine_resume(c, in, &out) ───► function(in, argument)
 *     out = "a"  ◄─────────────────────────── in2 = weft_coroutine_yield("a")
 *     weft_coroutine_resume(c, in2, &out) ──► ...
 *     out = "b"  ◄─────────────────────────── return "b"          (now dead)
 *
 * It works in every program that links with libweft, whether or not its threads are coroutines.
 * Under weft a blocking call made inside a coroutine stops the whole thread, as it would natively.
 * None of these functions may be called from a signal handler.
 */
#ifndef WEFT_H
#define WEFT_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weft_coroutine;

enum weft_coroutine_status {
    WEFT_COROUTINE_SUSPENDED, /* created or yielded: can be resumed */
    WEFT_COROUTINE_RUNNING,   /* the one that runs */
    WEFT_COROUTINE_NORMAL,    /* it has resumed another one and waits for it */
    WEFT_COROUTINE_DEAD       /* its function has returned */
};

/* What a coroutine runs. `first_value` is what the first resume passes. */
typedef void *weft_coroutine_function(void *first_value, void *argument);

/*
 * Creates a suspended coroutine. `stack_size` is in bytes, rounded up to whole pages and to at
 * least 16 KiB; 0 means 256 KiB. Memory is used only where the stack is touched; a guard page
 * lies below it.
 * Returns 0, -EINVAL (no function) or -ENOMEM.
 */
int weft_coroutine_create(struct weft_coroutine **coroutine, weft_coroutine_function *function,
                          void *argument, size_t stack_size);

/*
 * Runs a suspended coroutine until it yields or returns; `value_in` becomes the result of its
 * yield (or `first_value`), `*value_out` (unless NULL) what it yields or returns.
 * Returns 0, -EINVAL when it is dead, -EBUSY when it is running or normal.
 */
int weft_coroutine_resume(struct weft_coroutine *coroutine, void *value_in, void **value_out);

/* Suspends the running coroutine, whose resume gets `value_out`. Returns what the next resume
 * passes. Outside of any coroutine it returns NULL at once. */
void *weft_coroutine_yield(void *value_out);

enum weft_coroutine_status weft_coroutine_status(const struct weft_coroutine *coroutine);

/* The running coroutine of this thread, or NULL. */
struct weft_coroutine *weft_coroutine_running(void);

/*
 * Ends a suspended or dead coroutine and frees its stack and handle. What the function has not
 * finished is not run: no cleanup is called on its stack.
 * Returns 0, or -EBUSY when it is running or normal.
 */
int weft_coroutine_close(struct weft_coroutine *coroutine);

#ifdef __cplusplus
}
#endif

#endif
