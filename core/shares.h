/* SPDX-License-Identifier: MIT */
/*
 * What the program's kernel threads get of the CPUs, window by window.
 *
 * All by the monitor's kernel thread; nothing is locked. Waiting time is what remains of the time on the
 * clock without sleep in the loop and CPU time, which costs one clock_gettime for each carrier that runs
 * something; /proc/self/task/.../schedstat would say it more precisely, but opening it would take a
 * descriptor's number from the program.
 */
#ifndef WEFT_CORE_SHARES_H
#define WEFT_CORE_SHARES_H

#include <stdint.h>

/* In percent of a CPU, together. */
struct weft_shares {
    unsigned known;  /* so many of the processors that share the work kept their carrier; the rest is about */
    unsigned cpu;    /* these: what they got, */
    unsigned awake;  /* how many of them hardly slept, */
    unsigned got;    /* and what those got. All but this: */
    unsigned work;   /* what carriers with a processor got, whether or not they kept it, */
    unsigned beside; /* and those without one, in which hogs compute */
};

void weft_shares_begin(void);

/* Since then, `span` ns ago. */
struct weft_shares weft_shares_end(int64_t span);

#endif
