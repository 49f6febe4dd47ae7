/* SPDX-License-Identifier: MIT */
/*
 * Words that their owner writes whenever it likes and others read without any order: hints, of which whoever
 * reads one must believe nothing, and first looks, which a claim follows. A store by weft_hint_set and a load
 * by __atomic_load_n are the machine's plain ones; they keep the compiler from tearing, inventing or
 * repeating them. tests/order finds a store that lacks it.
 */
#ifndef WEFT_CORE_HINT_H
#define WEFT_CORE_HINT_H

#define weft_hint_set(place, value) __atomic_store_n(&(place), (value), __ATOMIC_RELAXED)

/* By the owner, whose own look needs no care. */
#define weft_hint_add(place, count) weft_hint_set(place, (place) + (count))

#endif
