/* SPDX-License-Identifier: MIT */
/* What all unit tests share: cmocka's prerequisites, seeded randomness, tests that wait for a fix. */
#ifndef WEFT_UNIT_H
#define WEFT_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* The seed of this run: WEFT_TEST_SEED, or one that differs from run to run. Printed, so that it can be
 * repeated. */
static inline uint64_t unit_seed(void)
{
    const char *given = getenv("WEFT_TEST_SEED");
    uint64_t seed = given && *given ? strtoull(given, NULL, 0) : __builtin_ia32_rdtsc() & 0xffffffff;
    printf("WEFT_TEST_SEED=%llu\n", (unsigned long long)seed);
    fflush(stdout);
    return seed;
}

/* The next number of a sequence (splitmix64). */
static inline uint64_t unit_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

#endif
