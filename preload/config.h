/* SPDX-License-Identifier: MIT */
/* What the environment asks for. Read once, when the object is loaded. */
#ifndef WEFT_PRELOAD_CONFIG_H
#define WEFT_PRELOAD_CONFIG_H

#include <limits.h>
#include <stdbool.h>

struct weft_config {
    unsigned processors;       /* WEFT_PROCESSORS */
    unsigned trace_mask;       /* WEFT_TRACE, enum weft_trace_kind */
    char trace_file[PATH_MAX]; /* a copy, for a program may write over its environment; empty: standard error
                                */
    const char *wrong;         /* a line that says which value is wrong, or NULL */
};

/* Never fails: a wrong value is recorded in `wrong`. Does not allocate. */
void weft_config_read(struct weft_config *config);

#endif
