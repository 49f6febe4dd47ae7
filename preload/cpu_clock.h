/* SPDX-License-Identifier: MIT */
#ifndef WEFT_PRELOAD_CPU_CLOCK_H
#define WEFT_PRELOAD_CPU_CLOCK_H

/* Finds libc's clock_gettime and clock_getres. For the constructor. */
void weft_cpu_clock_prepare(void);

#endif
