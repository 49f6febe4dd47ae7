/* SPDX-License-Identifier: MIT */
/*
 * A system call on its way: what preload/entry.S stores on the caller's stack and a hook reads.
 *
 *     ┌──────────────────────────┐ high   stack of libc's function at the site
 *     │ red zone, 128 bytes      │
 *     ├──────────────────────────┤
 *     │ site_next                │  pushed by the trampoline: where the site goes on
 *     │ slot_return              │  pushed by its call: into the trampoline
 *     │ r15 r14 r13 r12 rbp rbx  │
 *     │ r9 r8 r10 rdx rsi rdi    │  the arguments, as the kernel takes them
 *     │ number                   │
 *     └──────────────────────────┘ low ◄── struct weft_call
 */
#ifndef WEFT_HOOKS_CALL_H
#define WEFT_HOOKS_CALL_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "../core/coroutine.h"
#include "../core/layout.h"
#include "../core/raw.h"

struct weft_call {
    long number; /* WEFT_CALL_ENDED behind handlers that have ended it: it is not made again */
    long arguments[6];
    long preserved[6]; /* rbx rbp r12 r13 r14 r15 */
    void *slot_return;
    void *site_next;
};

#define WEFT_CALL_ENDED (-1L)

_Static_assert(offsetof(struct weft_call, number) == WEFT_CALL_NUMBER, "layout.h");
_Static_assert(offsetof(struct weft_call, arguments) == WEFT_CALL_ARGUMENTS, "layout.h");
_Static_assert(offsetof(struct weft_call, preserved) == WEFT_CALL_PRESERVED, "layout.h");
_Static_assert(offsetof(struct weft_call, slot_return) == WEFT_CALL_SLOT_RETURN, "layout.h");
_Static_assert(offsetof(struct weft_call, site_next) == WEFT_CALL_SITE_NEXT, "layout.h");
_Static_assert(sizeof(struct weft_call) == WEFT_CALL_SIZE, "layout.h");

/*
 * A hook does what the call means for the running coroutine and returns what the kernel would: a result
 * or -errno. It runs on the program's stack, outside of core, must not use vector registers nor malloc, and
 * may park where its comment says so. WEFT_RAW asks the entry to execute the call as it stands, at the
 * site, for clones whose child has memory and a stack of its own.
 */
typedef long weft_hook(struct weft_call *call);
#define WEFT_RAW LONG_MIN

/* By number; NULL: the call goes to the kernel untouched. Read by entry.S. */
extern weft_hook *weft_hooks[WEFT_CALL_LIMIT];

/* Executes the call in the kernel. */
static inline long weft_call_raw(const struct weft_call *call)
{
    const long *a = call->arguments;
    return weft_raw6(call->number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* Fills weft_hooks; with tracing, each goes through a line writer first. */
void weft_hooks_install(void);

#define WEFT_HOOK(name) long hook_##name(struct weft_call *call)

#endif
