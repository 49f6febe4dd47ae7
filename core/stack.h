/* SPDX-License-Identifier: MIT */
/*
 * Stacks for threads: memory as mmap gives it (zero, readable and writable), but cheaper to get and to give
 * back, and thousands of them in one mapping.
 *
 *     region: 1 GiB of address space, aligned to 1 GiB, for stacks of one size
 *     ┌──────────────────────────────────────────────────────────────────────────┐
 *     │ margin │ slot 0          │ slot 1          │ slot 2          │ ... │ rest │
 *     └──────────────────────────────────────────────────────────────────────────┘
 *               ┌───────┬─────────────────┬─────────────────┐
 *               │ guard │ never touched   │ dirty, the top  │      a slot, low to high addresses
 *               └───────┴─────────────────┴─────────────────┘
 *
 * Who holds a stack owns what is recorded of it. All functions may run on any stack, in hooks, with libc's
 * locks held; none parks.
 */
#ifndef WEFT_CORE_STACK_H
#define WEFT_CORE_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A stack of the pool: [low, low + size), of which the lowest `guard` bytes cannot be touched; once it is
 * altered only the kernel knows what can be. */
struct weft_stack {
    char *low;
    size_t size, guard;
    bool altered;
};

/* Set while the running thread is inside pthread_create: the next stack-like mapping is glibc's. */
extern __thread uint8_t weft_stack_wanted __attribute__((tls_model("initial-exec")));

/* A stack of `size` bytes, a multiple of the page size, all zero. Its guard is what the last holder left, or
 * none; weft_stack_set_guard says what it shall be. NULL: the pool has none of this size to give (size out of
 * range, too many different sizes, a limit of the address space, memory locked, none left); use mmap. */
void *weft_stack_take(size_t size);

/* Gives a whole stack back; nobody may touch it any more. */
void weft_stack_give(const struct weft_stack *stack);

/* The live stack around `address`; size 0 when it lies in none. */
struct weft_stack weft_stack_around(const void *address);

/* Makes the lowest `guard` bytes inaccessible, no more and no less; WEFT_STACK_LEAST bytes must be left, and
 * the stack not be altered. Returns 0 or -errno. */
#define WEFT_STACK_LEAST ((size_t)16 * 1024)
long weft_stack_set_guard(const struct weft_stack *stack, size_t guard);

/* The thread on this stack ends and needs nothing below `used`. Its pages may be kept for the next one. */
void weft_stack_trim(const struct weft_stack *stack, const void *used);

/* Something is done to this memory that the pool does not understand: from now on what else is done to it is
 * the kernel's, and it is mapped anew before reuse. */
void weft_stack_alter(const struct weft_stack *stack);

/* Takes the guard's markers, if that is what it is made of, out of a part of an altered stack. */
void weft_stack_unmark(const struct weft_stack *stack, char *start, size_t size);

/* The process locks its memory: what nobody uses is unmapped. Stacks that are live stay where they are;
 * others will come from new regions, or, while everything new is locked, not from the pool. */
void weft_stacks_retire(void);

/* A fork copies the pool in a consistent state when it happens between these two; both processes unlock. */
void weft_stacks_lock(void);
void weft_stacks_unlock(void);

/* For tests and traces. */
struct weft_stack_counts {
    size_t regions, live, warm_pages, deferred, protections;
};
struct weft_stack_counts weft_stacks_count(void);

/* Ends the process when an invariant of the pool is broken. Nobody may use the pool meanwhile. */
void weft_stacks_verify(void);

#endif
