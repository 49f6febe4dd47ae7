/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "../core/machine.h"
#include "../core/raw.h"
#include "../core/trace.h"

static const struct {
    const char *name;
    unsigned mask;
} kinds[] = {
    {"io", WEFT_TRACE_IO},         {"futex", WEFT_TRACE_FUTEX}, {"sched", WEFT_TRACE_SCHED},
    {"thread", WEFT_TRACE_THREAD}, {"all", WEFT_TRACE_ALL},
};

static bool read_kinds(const char *text, size_t length, unsigned *mask)
{
    while (length > 0) {
        const char *comma = memchr(text, ',', length);
        size_t word = comma ? (size_t)(comma - text) : length;
        bool known = false;
        for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
            if (strlen(kinds[i].name) == word && memcmp(kinds[i].name, text, word) == 0) {
                *mask |= kinds[i].mask;
                known = true;
            }
        if (!known)
            return false;
        text += word + (comma != NULL);
        length -= word + (comma != NULL);
    }
    return *mask != 0;
}

/* As many as there are CPUs that we may run on. */
static unsigned available_processors(void)
{
    cpu_set_t cpus;
    long size = weft_raw3(SYS_sched_getaffinity, 0, sizeof cpus, (long)&cpus);
    int count = size > 0 ? CPU_COUNT_S((size_t)size, &cpus) : 1;
    return count > WEFT_PROCESSORS_LIMIT ? WEFT_PROCESSORS_LIMIT : (unsigned)count;
}

static void copy_path(struct weft_config *config, const char *path)
{
    size_t size = strlen(path) + 1;
    if (size > sizeof config->trace_file)
        config->wrong = "WEFT_TRACE names a file with too long a name";
    else
        memcpy(config->trace_file, path, size);
}

void weft_config_read(struct weft_config *config)
{
    *config = (struct weft_config){.processors = available_processors()};
    const char *processors = getenv("WEFT_PROCESSORS"), *trace = getenv("WEFT_TRACE");
    if (processors && *processors) {
        char *end;
        unsigned long number = strtoul(processors, &end, 10);
        if (*end || *processors < '0' || *processors > '9' || number == 0 || number > WEFT_PROCESSORS_LIMIT)
            config->wrong = "WEFT_PROCESSORS is not a number from 1 to 200";
        else
            config->processors = (unsigned)number;
    }
    if (trace && *trace) {
        const char *colon = strchr(trace, ':');
        size_t length = colon ? (size_t)(colon - trace) : strlen(trace);
        if (!read_kinds(trace, length, &config->trace_mask) || (colon && !colon[1]))
            config->wrong = "WEFT_TRACE is not WORDS or WORDS:FILE with words of io,futex,sched,thread,all";
        else if (colon)
            copy_path(config, colon + 1);
    }
}
