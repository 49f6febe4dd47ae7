// SPDX-License-Identifier: MIT
// A handler that counts, and a way to signal a thread until its call has returned.
#ifndef GUEST_IO_HANDLER_H
#define GUEST_IO_HANDLER_H

#include "io.h"

static atomic_int handled;

static void handler_count(int number)
{
    (void)number;
    atomic_fetch_add(&handled, 1);
}

static inline void handler_install(int number, int flags)
{
    struct sigaction action = {.sa_handler = handler_count, .sa_flags = flags};
    CHECK(sigaction(number, &action, NULL) == 0);
}

/* Sends SIGUSR1 to the thread, again and again in case it was not yet blocked, until *returned. */
static inline void signal_until(pthread_t thread, const atomic_int *returned)
{
    while (!*returned) {
        CHECK(pthread_kill(thread, SIGUSR1) == 0);
        yield_some(20);
    }
}

/* Sends SIGUSR1 to the thread and waits until it has been handled, `times` times. */
static inline void signal_and_wait(pthread_t thread, int times)
{
    while (times-- > 0) {
        int before = handled;
        CHECK(pthread_kill(thread, SIGUSR1) == 0);
        while (handled == before)
            sched_yield();
    }
}

#endif
