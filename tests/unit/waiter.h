/* SPDX-License-Identifier: MIT */
/* Coroutines that wait in futex queues and for PI locks, for the tests of core/futex.c and futex_owned.c. */
#ifndef WEFT_UNIT_WAITER_H
#define WEFT_UNIT_WAITER_H

#include "machine.h"

#include <errno.h>
#include <linux/futex.h>
#include <string.h>

struct waiter {
    struct task task;
    char name;
    uint32_t *address, bitset;
    int64_t deadline;
    uint8_t priority;
    long result;
    int waits; /* 1 when it is about to wait */
};

/* The names of those who went on, in their order; two words to wait for. */
extern char order[4096];
extern size_t length;
extern uint32_t word, other;
extern uint8_t next_priority; /* of the next waiter */

/* A waiter for *address == 0 that is parked when this returns, unless its deadline was so near that it may
 * have come already. */
void start_waiter(struct waiter *waiter, char name, uint32_t *address, uint32_t bitset, int64_t deadline);

/* One for each of `names`, without deadlines. */
void start_waiters(struct waiter *waiters, const char *names, uint32_t *address);

long wake(uint32_t *address, int count);

/* Their waits ended with `result`. */
void join_all(struct waiter *waiters, size_t count, long result);

/* Lets those who are ready run. */
void yield_some(void);

/* Locks the PI lock and, when it got it, holds it for one turn. */
struct owner {
    struct task task;
    char name;
    uint32_t *lock;
    int64_t deadline;
    bool try_only;
    long locked, unlocked;
    uint32_t word_when_held;
    int tries, holds;
};
void lock_note_unlock(void *owner);

/* Starts one for `word`; returns when it has tried. */
void start_owner(struct owner *owner, char name, int64_t deadline, bool try_only);

/* For cmocka: a test that begins with an empty order and both words 0. */
int fresh(void **state);
#define ordered(function) cmocka_unit_test_setup_teardown(function, fresh, machine_teardown)

#endif
