/* SPDX-License-Identifier: MIT */
/*
 * Kernel threads and their vector clocks.
 *
 * A thread's clock says which events of the others happened before its present one, as C11 has it: by program
 * order and by release operations that acquire operations have read from. Coroutines have none of their own:
 * while one runs, it is its kernel thread that runs, and what brings it to another is what is to be checked.
 *
 * A thread is found through the GS base, which nobody else uses. (The FS base is the running coroutine's.)
 */
#ifndef ORDER_CLOCK_H
#define ORDER_CLOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { ORDER_THREADS = 256, ORDER_DEPTH = 8 };

/* How many have ever been. */
extern atomic_uint order_threads;

struct order_clock {
    uint64_t of[ORDER_THREADS];
};

struct order_thread {
    struct order_thread *self; /* first: at %gs:0 */
    unsigned index;
    uintptr_t fs_base;           /* the carrier's, which names it: a carrier started again goes on counting */
    struct order_clock now;      /* changed by the thread itself only */
    struct order_clock released; /* `now` at its last release fence */
    struct order_clock to_acquire; /* what its relaxed loads have read from, until an acquire fence */
    const void *held[ORDER_DEPTH]; /* locks that it has, or is about to take: a signal may come in between */
    unsigned depth;
    void (*entry)(void *);
    void *argument;
};

static inline struct order_thread *order_thread(void)
{
    struct order_thread *thread;
    __asm__("movq %%gs:0, %0" : "=r"(thread));
    return thread;
}

static inline void order_join(struct order_clock *clock, const struct order_clock *other)
{
    unsigned count = atomic_load_explicit(&order_threads, memory_order_relaxed);
    for (unsigned i = 0; i < count; i++)
        if (clock->of[i] < other->of[i])
            clock->of[i] = other->of[i];
}

static inline void order_copy(struct order_clock *clock, const struct order_clock *other)
{
    unsigned count = atomic_load_explicit(&order_threads, memory_order_relaxed);
    for (unsigned i = 0; i < count; i++)
        clock->of[i] = other->of[i];
}

/* What the thread does from here on is not what others have been told of. */
static inline void order_tick(struct order_thread *thread)
{
    thread->now.of[thread->index]++;
}

/* The record of the kernel thread that runs on this thread block; the first is main's. */
struct order_thread *order_thread_take(uintptr_t fs_base);

/* The running kernel thread is this one from now on. */
void order_thread_begin(struct order_thread *thread);

/* Guards the checker's own data about an address for tens of instructions. False: this is a signal handler
 * that has interrupted the holder; its event goes unnoticed. */
bool order_lock(uintptr_t address);
void order_unlock(uintptr_t address);

/* What atomic operations have released at the address. With order_lock(address) held. */
struct order_clock *order_released_at(uintptr_t address);

/* Ends the process because the checker itself cannot go on. */
_Noreturn void order_give_up(const char *why);

#endif
