/* SPDX-License-Identifier: MIT */
/* Worlds of numbers for core/parallelism.h to decide in: each says what so many processors get done, and what
 * their carriers get for it. */
#ifndef WEFT_UNIT_WORLD_H
#define WEFT_UNIT_WORLD_H

#include "../../core/parallelism.h"
#include "../../core/place.h"

enum { SECOND = 1000000000 / WEFT_WINDOW /* windows */ };

struct outcome {
    unsigned cpu, awake, got;
    int64_t rate;
};
typedef struct outcome world(unsigned active);

static int64_t now = 1;
static unsigned beside; /* percent of a CPU that hogs have */

/* Lives so many windows in a world. Returns how many of the last half had `wanted` processors sharing, on
 * CPUs of their own or not. */
static inline unsigned live(world *world, unsigned windows, unsigned wanted, bool placed)
{
    unsigned count = 0;
    for (unsigned i = 0; i < windows; i++) {
        unsigned active = atomic_load(&weft_parallelism);
        struct outcome outcome = world(active);
        struct weft_shares shares = {active, outcome.cpu, outcome.awake, outcome.got, outcome.cpu, beside};
        count += i >= windows / 2 && active == wanted && weft_placed() == placed;
        weft_parallelism_decide(now += WEFT_WINDOW, shares, outcome.rate);
    }
    return count;
}

static inline void begin_with(unsigned active)
{
    weft_parallelism_reset();
    atomic_store(&weft_parallelism, active);
}

#endif
