// SPDX-License-Identifier: MIT
// A library with a thread-local variable of its own, for tls_address.
#include <stddef.h>

long *move_library_counter(void);
int move_library_step(void (*between)(void *), void *argument);

static __thread long counter = 100;

long *move_library_counter(void)
{
    return &counter;
}

// Uses the variable on both sides of a call that may stop the thread.
int move_library_step(void (*between)(void *), void *argument)
{
    counter++;
    between(argument);
    return (int)++counter;
}
