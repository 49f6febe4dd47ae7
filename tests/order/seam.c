/* SPDX-License-Identifier: MIT */
/*
 * What the compiler does not see: core's assembly. Its functions have other names in the checked build;
 * these, under theirs, say what they do.
 */
#include <stddef.h>

#include "../../core/context.h"
#include "clock.h"
#include "shadow.h"

#define HERE ((uintptr_t)__builtin_return_address(0))

void order_switch(struct weft_context *from, struct weft_context *to, void (*after)(void *), void *argument);
void order_switch_call(struct weft_context *from, struct weft_context *to, void (*after)(void *),
                       void *argument);
long order_carrier_clone(unsigned long flags, void *stack, int *tid, void *fs_base, void (*entry)(void *),
                         void *argument);
long weft_carrier_clone(unsigned long flags, void *stack, int *tid, void *fs_base, void (*entry)(void *),
                        void *argument);
void *order_memcpy(void *restrict to, const void *restrict from, size_t size);
void *order_memmove(void *to, const void *from, size_t size);
void *order_memset(void *to, int byte, size_t size);
int order_memcmp(const void *a, const void *b, size_t size);

static void note_switch(struct weft_context *from, struct weft_context *to, uintptr_t pc)
{
    order_access((uintptr_t)&from->rsp, sizeof from->rsp, ORDER_WRITE, pc);
    order_access((uintptr_t)to, sizeof *to, ORDER_READ, pc);
}

void weft_switch(struct weft_context *from, struct weft_context *to, void (*after)(void *), void *argument)
{
    note_switch(from, to, HERE);
    order_switch(from, to, after, argument);
}

void weft_switch_call(struct weft_context *from, struct weft_context *to, void (*after)(void *),
                      void *argument)
{
    note_switch(from, to, HERE);
    order_switch_call(from, to, after, argument);
}

static void begin(void *argument)
{
    struct order_thread *thread = argument;
    order_thread_begin(thread);
    thread->entry(thread->argument);
}

long weft_carrier_clone(unsigned long flags, void *stack, int *tid, void *fs_base, void (*entry)(void *),
                        void *argument)
{
    struct order_thread *self = order_thread(), *child = order_thread_take((uintptr_t)fs_base);
    child->entry = entry;
    child->argument = argument;
    order_join(&child->now, &self->now);
    order_tick(self);
    order_tick(child);
    return order_carrier_clone(flags, stack, tid, fs_base, begin, child);
}

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    order_access((uintptr_t)from, size, ORDER_READ, HERE);
    order_access((uintptr_t)to, size, ORDER_WRITE, HERE);
    return order_memcpy(to, from, size);
}

void *memmove(void *to, const void *from, size_t size)
{
    order_access((uintptr_t)from, size, ORDER_READ, HERE);
    order_access((uintptr_t)to, size, ORDER_WRITE, HERE);
    return order_memmove(to, from, size);
}

void *memset(void *to, int byte, size_t size)
{
    order_access((uintptr_t)to, size, ORDER_WRITE, HERE);
    return order_memset(to, byte, size);
}

int memcmp(const void *a, const void *b, size_t size)
{
    order_access((uintptr_t)a, size, ORDER_READ, HERE);
    order_access((uintptr_t)b, size, ORDER_READ, HERE);
    return order_memcmp(a, b, size);
}
