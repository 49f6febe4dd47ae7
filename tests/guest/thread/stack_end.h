// SPDX-License-Identifier: MIT
// Getting to the end of a thread's stack, for guests about what happens there.
#ifndef GUEST_STACK_END_H
#define GUEST_STACK_END_H

#include "guest.h"

// The lowest address of the calling thread's stack, which has `wanted` bytes.
static inline char *stack_lowest(size_t wanted)
{
    pthread_attr_t attributes;
    void *lowest;
    size_t size;
    CHECK_EQUAL(pthread_getattr_np(pthread_self(), &attributes), 0);
    CHECK_EQUAL(pthread_attr_getstack(&attributes, &lowest, &size), 0);
    CHECK_EQUAL(pthread_attr_destroy(&attributes), 0);
    CHECK(size == wanted);
    return lowest;
}

// Calls `call` in each of its frames. Starts with depth 0, and does not come back.
__attribute__((noinline, unused)) static int stack_overflow(void (*call)(void), int depth)
{
    volatile char room[64];
    room[depth % 64] = (char)depth;
    call();
    return depth < 0 ? 0 : stack_overflow(call, depth + 1) + room[depth % 64];
}

#endif
