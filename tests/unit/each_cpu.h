/* SPDX-License-Identifier: MIT */
/* For tests that need a processor for each CPU, and two CPUs or more. */
#ifndef WEFT_UNIT_EACH_CPU_H
#define WEFT_UNIT_EACH_CPU_H

#include <unistd.h>

#include "machine.h"

enum { MOST = 64 /* CPUs */ };

static unsigned cpus; /* and processors */

static inline int each_cpu_setup(void **state)
{
    uint64_t mask[16] = {0};
    (void)state;
    weft_raw3(SYS_sched_getaffinity, 0, sizeof mask, (long)mask);
    for (int i = 0; i < 16; i++)
        cpus += (unsigned)__builtin_popcountll(mask[i]);
    return machine_setup_many(cpus > MOST ? MOST : cpus);
}

static inline bool each_cpu_can(void)
{
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    if (online >= 2 && online <= MOST)
        return true;
    print_message("needs 2 to %d CPUs\n", MOST);
    return false;
}

#endif
