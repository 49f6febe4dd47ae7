/* SPDX-License-Identifier: MIT */
/*
 * What is remembered of the accesses to each byte, and the rule: two accesses to a byte of which one writes,
 * which are not both atomic, and of which none happened before the other, are a race.
 */
#ifndef ORDER_SHADOW_H
#define ORDER_SHADOW_H

#include <stdbool.h>
#include <stdint.h>

enum { ORDER_READ = 0, ORDER_WRITE = 1, ORDER_ATOMIC = 2 }; /* kinds of accesses: a set */

/* The running thread's access to [address, address + size) by the code at `pc`; a race is reported. */
void order_access(uintptr_t address, uintptr_t size, unsigned kind, uintptr_t pc);

/* How far the program's text lies from where its file says. */
extern uintptr_t order_bias;

/* The process ends with the first race. */
extern bool order_ends_at_once;

/* Races reported, each pair of places once. */
unsigned order_races(void);

#endif
