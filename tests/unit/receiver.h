/* SPDX-License-Identifier: MIT */
/* Coroutines that wait for signals, for the tests of core/signal.c and signal_mask.c. */
#ifndef WEFT_UNIT_RECEIVER_H
#define WEFT_UNIT_RECEIVER_H

#include "machine.h"

#include "../../core/signal.h"

enum { RECEIVER_TAKES = 16 };

/* Waits in a futex queue until a signal or receiver_release ends that, then takes what it does not block. */
struct receiver {
    struct task task;
    uint64_t mask;
    int64_t wait;   /* ns; 0: without a deadline */
    uint32_t word;  /* what it waits for */
    uint32_t ready; /* 1: it is about to wait */
    long result;    /* of the wait */
    unsigned count;
    int taken[RECEIVER_TAKES];
};

/* Starts it with that mask; returns when it is parked. */
void receiver_start(struct receiver *receiver, uint64_t mask, int64_t wait);

/* Ends its wait as a wake does, and the task; counts what it took. */
unsigned receiver_release(struct receiver *receiver);

/* Sends from the running coroutine: to a thread, or to the process (tid 0). */
long signal_send(int tid, int number, int value);

/* Does what a carrier does with arrivals and with signals that are for another one now. */
void signals_distribute(void);

/* The next signal of `set` for the caller: its number, 0 when there is none; `*value` unless NULL. */
int signal_take(uint64_t set, int *value);

/* Setup for cmocka: the machine, with main blocking all. Teardown: no signal is left, and machine_teardown.
 */
int receiver_setup(void **state);
int receiver_teardown(void **state);

#define receiver_test(function) cmocka_unit_test_teardown(function, receiver_teardown)

#define ALL_SIGNALS (~(UINT64_C(1) << 31) & ~(UINT64_C(1) << 32)) /* but glibc's own two */

#endif
