// SPDX-License-Identifier: MIT
// What the guests of scale share. Each takes the number of threads as its first argument; with a second one,
// `figures`, it also prints what it measured, which differs from run to run.
#ifndef SCALE_H
#define SCALE_H

#include <stdarg.h>
#include <stdbool.h>
#include "guest.h"

static bool scale_figures;

// The number of threads; exits with 2 when the arguments are wrong.
static inline long scale_arguments(int argc, char **argv)
{
    char *end = NULL;
    long count = argc > 1 ? strtol(argv[1], &end, 10) : 0;
    scale_figures = argc > 2 && strcmp(argv[2], "figures") == 0;
    if (count < 1 || *end || argc > 3 || (argc == 3 && !scale_figures)) {
        fprintf(stderr, "usage: %s THREADS [figures]\n", argv[0]);
        exit(2);
    }
    return count;
}

__attribute__((format(printf, 1, 2))) static inline void scale_figure(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    if (scale_figures) {
        vprintf(format, values);
        fflush(stdout);
    }
    va_end(values);
}

// A line of /proc/self/status that counts kB.
static inline long scale_status(const char *name)
{
    char line[256];
    long value = -1;
    FILE *file = fopen("/proc/self/status", "r");
    CHECK(file != NULL);
    while (fgets(line, sizeof(line), file))
        if (strncmp(line, name, strlen(name)) == 0)
            value = strtol(line + strlen(name) + 1, NULL, 10);
    fclose(file);
    CHECK(value >= 0);
    return value;
}

// kB in memory, page tables included. What the kernel keeps for its own threads is in neither.
static inline long scale_memory(void)
{
    return scale_status("VmRSS:") + scale_status("VmPTE:");
}

// ns of CPU time of the process.
static inline int64_t scale_cpu(void)
{
    return guest_now(CLOCK_PROCESS_CPUTIME_ID);
}

#endif
